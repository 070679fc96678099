"""What a network found away from every label and somebody judged by eye (models/annotations/*-candidates.json)."""
import json
from pathlib import Path

import numpy as np

from detection import NAMES, compute_iou

FOLDER = Path(__file__).parents[2] / 'annotations'
# The class, in a picture's boxes, of what was judged to be nothing of the kind.
NOTHING = len(NAMES)
# What covers more of the picture and is nothing of the kind says nothing about what is in it.
MAX_SHARE = 0.05
# A finding is what was judged from this overlap on.
SAME_IOU = 0.5


def read_judged(name):
    """The verdicts of the file `name` by picture (`SET/FILE`): each with boxes `seen`, `none` and `doubtful`, as far as there are any."""
    return {picture['file']: picture for picture in json.loads((FOLDER / name).read_text())['pictures']}


def add_judged(pictures, judged, kind):
    """Adds the objects of class `kind` that nobody labelled, and as regions without loss what the box fits badly or cannot be told."""
    for picture in pictures:
        picture.boxes = np.concatenate((picture.boxes, _get_boxes(picture, judged, 'seen', kind)))
        picture.ignored = np.concatenate((picture.ignored, _get_boxes(picture, judged, 'doubtful', kind)[:, 1:]))
        picture.truths, picture.doubts = len(picture.boxes), len(picture.ignored)


def add_nothing(pictures, judged):
    """Adds what was judged to be nothing of the kind, as boxes of the class NOTHING."""
    for picture in pictures:
        boxes = _get_boxes(picture, judged, 'none', NOTHING)
        share = (boxes[:, 3:] - boxes[:, 1:3]).prod(1) / np.prod(picture.size)
        picture.boxes = np.concatenate((picture.boxes, boxes[share <= MAX_SHARE]))


def drop_nothing(pictures, judged, kind):
    """Takes boxes of class `kind` out that were judged to be nothing of the kind."""
    for picture in pictures:
        mistaken = (compute_iou(picture.boxes[:, 1:], _get_boxes(picture, judged, 'none', kind)[:, 1:]) > SAME_IOU).any(1)
        picture.boxes = picture.boxes[(picture.boxes[:, 0] != kind) | ~mistaken]


def _get_boxes(picture, judged, verdict, kind):
    """Rows of class `kind` and box `[n, 5]` that were judged so."""
    return np.array([(kind, *box) for box in judged.get(picture.key, {}).get(verdict, [])], np.float32).reshape(-1, 5)
