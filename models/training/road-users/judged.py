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


def add_judged(picture, judged, kind):
    """
    Adds the objects of class `kind` that nobody labelled, and as regions without loss what cannot be told or is badly fitted by the box.
    """
    seen = np.array([(kind, *box) for box in judged.get('seen', [])], np.float32).reshape(-1, 5)
    doubtful = np.array(judged.get('doubtful', []), np.float32).reshape(-1, 4)
    picture.boxes = np.concatenate((picture.boxes, seen))
    picture.ignored = np.concatenate((picture.ignored, doubtful))
    picture.truths, picture.doubts = len(picture.boxes), len(picture.ignored)


def drop_nothing(picture, judged, kind):
    """Takes boxes of class `kind` out that were judged to be nothing of the kind."""
    mistaken = (compute_iou(picture.boxes[:, 1:], judged.get('none', [])) > SAME_IOU).any(1)
    picture.boxes = picture.boxes[(picture.boxes[:, 0] != kind) | ~mistaken]


def add_nothing(picture, judged):
    """Adds what was judged to be nothing of the kind, as boxes of the class NOTHING."""
    boxes = np.array([(NOTHING, *box) for box in judged.get('none', [])], np.float32).reshape(-1, 5)
    share = (boxes[:, 3:] - boxes[:, 1:3]).prod(1) / np.prod(picture.size)
    picture.boxes = np.concatenate((picture.boxes, boxes[share <= MAX_SHARE]))
