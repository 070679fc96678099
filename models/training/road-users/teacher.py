"""
What the original network says of ordinary pictures is kept while the junction is learned (learning without forgetting,
Li and Hoiem, arXiv 1606.09282): its outputs are the targets of all rows that no label claims.
"""
import torch
from torch.nn import functional as F

from detection import BICYCLE, BUS, CAR, MOTORBIKE, PERSON, PLATE, SHARED, TRUCK
from network import decode_boxes
from objective import compute_pair_iou

DIFFERENT = (BICYCLE, MOTORBIKE)
VEHICLES = (CAR, BUS, TRUCK)
# Below this confidence of the original a row is background, and its class and box say nothing.
MIN_CONFIDENCE = 0.05
# Part of the original's opinion in the class of a labelled vehicle: few bodies of buses are in the labels.
VEHICLE_SHARE = 0.5
# Of the original's findings of one crop, those that it is surest of say where a bike or a plate may be.
FINDINGS = 60
# What may lie around a two-wheeler that the original sees: its riders above it. Left, up, right, down, in its widths and heights.
AROUND = torch.tensor((0.5, 1.2, 0.5, 0.25))


class Teacher:
    """What the original says of one crop of `side` pixels: its `logits` `[N, 5 + C]`, as `forward_raw` gives them."""

    def __init__(self, logits, side):
        self.boxes = decode_boxes(logits, side, side)
        self.objectness = logits[:, 4].sigmoid()
        self.classes = logits[:, 5:].sigmoid()
        confidence = self.classes * self.objectness[:, None]
        self.shared = confidence[:, list(SHARED)].amax(1)
        self.different = confidence[:, list(DIFFERENT)].amax(1)
        self.persons = self.classes.argmax(1) == PERSON
        self.vehicles = confidence[:, list(VEHICLES)].amax(1)

    def find_unknown(self, centres, best):
        """
        Rows that the original cannot judge, of those that the network takes for `best` `[N]`: a bike with its riders where it sees a
        two-wheeler, a plate where it sees a vehicle. Elsewhere they are mistakes: a man who walks is no motorbike.
        """
        bikes = self._reach(centres, self.different, AROUND)
        bodies = bikes | self._reach(centres, self.vehicles, torch.zeros(4))
        is_bike = torch.isin(best, torch.tensor(DIFFERENT))
        return torch.where(is_bike, bikes, torch.where(best == PLATE, bodies, torch.zeros_like(bodies)))

    def find_riders(self, centres):
        """Rows that the original takes for a person where it sees a two-wheeler: a rider, and part of the bike here. The original goes on seeing him."""
        return self.persons & self._reach(centres, self.different, AROUND)

    def _reach(self, centres, confidence, around):
        rows = confidence.topk(min(FINDINGS, len(confidence))).indices
        boxes = self.boxes[rows[confidence[rows] > MIN_CONFIDENCE]]
        sides = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
        reach = boxes + sides * around * torch.tensor((-1, -1, 1, 1))
        inside = (centres[:, None] > reach[None, :, :2]) & (centres[:, None] < reach[None, :, 2:])
        return inside.all(-1).any(1)

    def soften_class(self, wanted, rows, kinds):
        """Targets `[m, C]` of labelled vehicles (`rows`, of `kinds`), moved towards the original where it sees a vehicle there."""
        vehicle = torch.isin(kinds, torch.tensor(VEHICLES)) & (self.classes[rows][:, list(VEHICLES)].amax(1) > 0.3)
        opinion = self.classes[rows] * wanted.amax(1, keepdim=True)
        opinion[:, [k for k in range(opinion.shape[1]) if k not in VEHICLES]] = 0
        return torch.where(vehicle[:, None], (1 - VEHICLE_SHARE) * wanted + VEHICLE_SHARE * opinion, wanted)

    def compute_loss(self, rows, boxes, free):
        """
        Sums of the losses of the rows in `free` (those that no label claims and of which something may be learned): objectness, class
        and box; and the sum of the confidences, by which it may be divided.
        """
        keep = free & (self.different < MIN_CONFIDENCE)
        sure = keep & (self.shared > MIN_CONFIDENCE)
        wanted = torch.where(self.shared > MIN_CONFIDENCE, self.objectness, torch.zeros_like(self.objectness))
        parts = {
            'object': F.binary_cross_entropy_with_logits(rows[:, 4], wanted, keep.float(), reduction='sum'),
            'class': rows.new_zeros(()), 'box': rows.new_zeros(()),
        }
        if sure.any():
            weight = self.shared[sure]
            target = torch.zeros_like(self.classes[sure])
            target[:, list(SHARED)] = self.classes[sure][:, list(SHARED)]
            parts['class'] = (F.binary_cross_entropy_with_logits(rows[sure, 5:], target, reduction='none').sum(1) * weight).sum()
            parts['box'] = ((1 - compute_pair_iou(boxes[sure], self.boxes[sure])) * weight).sum()
        return parts, float(self.shared[sure].sum())
