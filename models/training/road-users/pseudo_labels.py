"""Labels that a set does not have, from a network's own findings, and regions about which nothing is known."""
import numpy as np

from detection import GROUPS, OnnxNetwork, compute_iou, join_riders, read_picture

# The network sees pictures of the junction at this multiple of their size: it finds more of the small.
SCALES = {'vn-intersection': 1.5, 'vn-plate-boxes': 1.5}
SURE, POSSIBLE = 0.45, 0.15
# A labelled class that the network finds at this confidence where no label is was left out by the labeller.
UNLABELLED = 0.35


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
                picture.boxes, picture.ignored = picture.boxes[:picture.truths], picture.ignored[:0]
            found = join_riders(network.detect(read_picture(picture.file), POSSIBLE, scale), network.has_riders)
            _merge(picture, found[np.isin(found[:, 5], list(kinds))])


def _merge(picture, found):
    kind = found[:, 5].astype(int)
    overlap = compute_iou(found[:, :4], picture.boxes[:, 1:])
    same_group = GROUPS[kind][:, None] == GROUPS[picture.boxes[:, 0].astype(int)][None, :]
    near = ((overlap > 0.3) & same_group).any(1)
    labelled = np.isin(kind, picture.labelled)
    # a rider whom the labeller has boxed with the bike is a person all the same; a bicycle there is the labeller's motorbike
    sure = ~labelled & ~near & (found[:, 4] >= SURE)
    # a possible person inside a labelled box is its rider: rows that take it for a person are left alone anyhow (objective.py)
    doubt = (~labelled & ~near & ~sure & ~is_inside(found[:, :4], picture.boxes[:, 1:])) | (labelled & ~near & (found[:, 4] >= UNLABELLED))
    boxes = np.concatenate((found[sure, 5:6], found[sure, :4]), 1)
    picture.boxes = np.concatenate((picture.boxes, boxes)).astype(np.float32)
    picture.ignored = np.concatenate((picture.ignored, found[doubt, :4])).astype(np.float32)


def is_inside(boxes, others, share=0.7):
    """Which of `boxes` lie to this share inside one of `others`."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return (shared >= share * area[:, None]).any(1)
