"""Labels that a set does not have, from a network's own findings, and regions about which nothing is known."""
import numpy as np

from detection import BICYCLE, GROUPS, MOTORBIKE, PERSON, OnnxNetwork, compute_iou, join_riders, read_picture

# The network sees pictures of the junction at this multiple of their size: it finds more of the small.
SCALES = {'vn-intersection': 1.5, 'vn-plate-boxes': 1.5}
SURE, POSSIBLE = 0.45, 0.15
# A labelled class that the original finds at this confidence where no label is was left out by the labeller; the half-trained
# network, which is surer of everything at the junction, has to be this sure.
UNLABELLED, OWN_UNLABELLED = 0.35, 0.6
# So much of a rider's box lies in that of the bike at least.
RIDER_SHARE = 0.3


def ignore_unlabelled(pictures, model, kinds):
    """What `model` is sure to see, of `kinds` that the set labels, away from every label, becomes a region without loss."""
    with OnnxNetwork(model) as network:
        for picture in pictures:
            found = network.detect(read_picture(picture.file), OWN_UNLABELLED)
            found = found[np.isin(found[:, 5], [kind for kind in kinds if kind in picture.labelled])]
            near = _is_near(found, picture.boxes) | (compute_iou(found[:, :4], picture.boxes[:, 1:]) > 0.1).any(1)
            picture.ignored = np.concatenate((picture.ignored, found[~near, :4])).astype(np.float32)


def add_pseudo_labels(pictures, model, kinds=range(len(GROUPS)), keep=False):
    """
    Adds to every picture what `model` finds: of classes that its set does not label, sure findings become boxes and possible
    ones regions without loss; of classes that it labels, findings away from every label become regions without loss.
    Only findings of `kinds` count. What an earlier call added goes, unless `keep`.
    """
    with OnnxNetwork(model) as network:
        for picture in pictures:
            scale = SCALES.get(picture.set, 1.0) if not network.has_riders else 1.0
            if not keep:
                picture.boxes, picture.ignored = picture.boxes[:picture.truths], picture.ignored[:picture.doubts]
            found = join_riders(network.detect(read_picture(picture.file), POSSIBLE, scale), network.has_riders)
            _merge(picture, found[np.isin(found[:, 5], list(kinds))])


def _merge(picture, found):
    kind = found[:, 5].astype(int)
    near = _is_near(found, picture.boxes)
    labelled = np.isin(kind, picture.labelled)
    sure = ~labelled & ~near & (found[:, 4] >= SURE)
    # a possible person inside a labelled box is its rider: rows that take it for a person are left alone anyhow (objective.py)
    doubt = (~labelled & ~near & ~sure & ~is_inside(found[:, :4], picture.boxes[:, 1:])) | (labelled & ~near & (found[:, 4] >= UNLABELLED))
    boxes = np.concatenate((found[sure, 5:6], found[sure, :4]), 1)
    picture.boxes = _drop_riders(np.concatenate((picture.boxes, boxes)).astype(np.float32))
    picture.ignored = np.concatenate((picture.ignored, found[doubt, :4])).astype(np.float32)


def _is_near(found, boxes):
    """Which of `found` are at a box of their group already."""
    same_group = GROUPS[found[:, 5].astype(int)][:, None] == GROUPS[boxes[:, 0].astype(int)][None, :]
    return ((compute_iou(found[:, :4], boxes[:, 1:]) > 0.3) & same_group).any(1)


def _drop_riders(boxes):
    """Boxes without the persons on two-wheelers: they are part of those, and the original sees them anyhow."""
    bikes = boxes[np.isin(boxes[:, 0], (BICYCLE, MOTORBIKE)), 1:]
    return boxes[(boxes[:, 0] != PERSON) | ~is_inside(boxes[:, 1:], bikes, RIDER_SHARE)]


def is_inside(boxes, others, share=0.7):
    """Which of `boxes` lie to this share inside one of `others`."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return (shared >= share * area[:, None]).any(1)
