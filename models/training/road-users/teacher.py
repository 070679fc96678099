"""
What the original network says of ordinary pictures is kept while the junction is learned (learning without forgetting,
Li and Hoiem, arXiv 1606.09282): its outputs are the targets of all rows that no label claims.
"""
import torch
from torch.nn import functional as F

from detection import BICYCLE, BUS, CAR, MOTORBIKE, SHARED, TRUCK
from network import decode_boxes
from objective import compute_pair_iou

DIFFERENT = (BICYCLE, MOTORBIKE)
VEHICLES = (CAR, BUS, TRUCK)
# Below this confidence of the original a row is background, and its class and box say nothing.
MIN_CONFIDENCE = 0.05
# Part of the original's opinion in the class of a labelled vehicle: few bodies of buses are in the labels.
VEHICLE_SHARE = 0.35


class Teacher:
    """What the original says of one crop of `side` pixels: its `logits` `[N, 5 + C]`, as `forward_raw` gives them."""

    def __init__(self, logits, side):
        self.boxes = decode_boxes(logits, side, side)
        self.objectness = logits[:, 4].sigmoid()
        self.classes = logits[:, 5:].sigmoid()
        confidence = self.classes * self.objectness[:, None]
        self.shared = confidence[:, list(SHARED)].amax(1)
        self.different = confidence[:, list(DIFFERENT)].amax(1)

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
