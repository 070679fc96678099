"""Assignment of rows to objects (SimOTA of YOLOX, section 2.3) and the loss, written for sets that label some classes only."""
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from detection import SHARED
from network import decode_boxes, make_grid

# Rows whose cell lies this many cells around an object's middle may be given to it.
CENTRE_RADIUS = 2.5
CANDIDATES = 10
BOX_WEIGHT, CORNER_WEIGHT, POSITION_COST = 5.0, 0.5, 3.0
# A finding of a class that the picture's set does not label is no background above this confidence.
UNLABELLED_CONFIDENCE = 0.1


@dataclass
class Sample:
    """The truth of one crop, in its pixels."""
    # `[n, 5]`: class, xyxy
    objects: torch.Tensor
    # `[m, 4]`: nothing is learned about background here
    regions: torch.Tensor
    # classes that are labelled
    labelled: tuple
    # whether the original network's outputs are the target of all rows that no label claims
    ordinary: bool = False
    # `[k, 4]`: background for certain, in a region too
    certain: torch.Tensor = torch.zeros(0, 4)


def compute_pair_iou(a, b):
    """`[n, 4]` with `[n, 4]` (or shapes that broadcast), xyxy."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    area = lambda boxes: (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)
    return shared / (area(a) + area(b) - shared).clamp(min=1e-6)


@torch.no_grad()
def assign(rows, boxes, objects, centres, strides):
    """
    Which object each row is for: index into `objects` `[n, 5]` (class, xyxy), or -1. Cost is that of class and position; an object
    takes as many rows as its ten best overlaps sum to, a row goes to the object it costs least for.
    """
    owner = torch.full((len(rows),), -1, dtype=torch.long)
    if len(objects) == 0:
        return owner
    truth = objects[:, 1:]
    middle = (truth[:, :2] + truth[:, 2:]) / 2
    offset = (centres[None] - middle[:, None]).abs().amax(-1)
    in_centre = offset < CENTRE_RADIUS * strides[None]
    in_box = ((centres[None] > truth[:, None, :2]) & (centres[None] < truth[:, None, 2:])).all(-1)
    picked = (in_centre | in_box).any(0).nonzero().squeeze(1)
    iou = compute_pair_iou(truth[:, None], boxes[picked][None])
    confidence = (rows[picked, 5:].sigmoid() * rows[picked, 4:5].sigmoid()).sqrt().clamp(1e-6, 1 - 1e-6)
    wanted = F.one_hot(objects[:, 0].long(), confidence.shape[1]).float()
    log_yes, log_no = confidence.log(), (1 - confidence).log()
    class_cost = -(wanted @ log_yes.T + (1 - wanted) @ log_no.T)
    outside = ~(in_centre & in_box)[:, picked]
    # an object smaller than a cell has no cell inside: its nearest cells serve
    tiny = ~(in_centre & in_box).any(1)
    outside = torch.where(tiny[:, None], ~in_centre[:, picked], outside)
    cost = class_cost + POSITION_COST * -(iou + 1e-8).log() + 1e5 * outside
    matched = torch.zeros_like(cost, dtype=torch.bool)
    best = iou.topk(min(CANDIDATES, iou.shape[1]), dim=1).values
    for index, count in enumerate(best.sum(1).int().clamp(min=1).tolist()):
        matched[index, cost[index].topk(min(count, cost.shape[1]), largest=False).indices] = True
    matched &= cost < 1e5
    cheapest = torch.where(matched, cost, torch.full_like(cost, 1e9)).argmin(0)
    taken = matched.any(0)
    owner[picked[taken]] = cheapest[taken]
    return owner


@torch.no_grad()
def find_silent_rows(rows, centres, regions, labelled, certain):
    """Rows that are not background for certain: in a region without loss, or a finding of a class that the set does not label."""
    silent = is_within(centres, regions) & ~is_within(centres, certain)
    confidence, best = (rows[:, 5:].sigmoid() * rows[:, 4:5].sigmoid()).max(1)
    known = torch.zeros(rows.shape[1] - 5, dtype=torch.bool)
    known[list(labelled)] = True
    return silent | (~known[best] & (confidence > UNLABELLED_CONFIDENCE))


def is_within(points, boxes):
    """Which of `points` `[n, 2]` lie in one of `boxes` `[m, 4]`."""
    return ((points[:, None] > boxes[None, :, :2]) & (points[:, None] < boxes[None, :, 2:])).all(-1).any(1)


def compute_loss(raw, samples, side, teachers):
    """
    `raw` `[B, N, 5 + C]` logits; `samples`: a `Sample` a picture; `teachers`: what the original says of each (`teacher.py`), or None where its
    classes are others. Returns the sum and its parts.
    """
    gx, gy, strides = make_grid(side, side)
    centres = torch.stack(((gx + 0.5) * strides, (gy + 0.5) * strides), 1)
    boxes = decode_boxes(raw, side, side)
    parts = {name: raw.new_zeros(()) for name in ('box', 'object', 'class', 'corner', 'kept')}
    positives, count = 0, 0.0
    for rows, found, teacher, sample in zip(raw, boxes, teachers, samples):
        objects, labelled, ordinary = sample.objects, sample.labelled, sample.ordinary
        owner = assign(rows.detach(), found.detach(), objects, centres, strides)
        mine = owner >= 0
        # of plates and of riders on their bikes the original knows nothing: what may be one on an ordinary picture is left alone
        known = sorted({*labelled, *SHARED}) if ordinary else labelled
        silent = find_silent_rows(rows.detach(), centres, sample.regions[:0] if ordinary else sample.regions, known, sample.certain)
        if ordinary:
            silent &= teacher.find_unknown(centres, rows.detach()[:, 5:].argmax(1))
            silent |= teacher.find_riders(centres)
        counted = mine | ~silent
        if ordinary:
            kept, weight = teacher.compute_loss(rows, found, ~mine & ~silent)
            parts['object'] = parts['object'] + kept['object']
            parts['kept'] = parts['kept'] + kept['class'] + BOX_WEIGHT * kept['box']
            count += weight
            counted = mine
        parts['object'] = parts['object'] + F.binary_cross_entropy_with_logits(
            rows[:, 4], mine.float(), counted.float(), reduction='sum'
        )
        if not mine.any():
            continue
        positives += int(mine.sum())
        target = objects[owner[mine]]
        iou = compute_pair_iou(found[mine], target[:, 1:])
        parts['box'] = parts['box'] + (1 - iou.square()).sum()
        wanted = F.one_hot(target[:, 0].long(), rows.shape[1] - 5).float() * iou.detach()[:, None]
        if teacher is not None:
            wanted = teacher.soften_class(wanted, mine, target[:, 0].long())
        parts['class'] = parts['class'] + F.binary_cross_entropy_with_logits(rows[mine, 5:], wanted, reduction='sum')
        sides = (target[:, 3:] - target[:, 1:3]).clamp(min=1)
        corners = (found[mine] - target[:, 1:]) / sides.repeat(1, 2)
        parts['corner'] = parts['corner'] + F.smooth_l1_loss(corners, torch.zeros_like(corners), reduction='sum', beta=0.1)
    count = max(1.0, count + positives)
    weights = {'box': BOX_WEIGHT, 'object': 1.0, 'class': 1.0, 'corner': CORNER_WEIGHT, 'kept': 1.0}
    total = sum(weights[name] * value for name, value in parts.items()) / count
    return total, {name: float(value.detach()) / count for name, value in parts.items()} | {'positives': positives}
