"""Detections of an ONNX network (in onnxruntime-node), as the product decodes them."""
import struct
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ('person', 'bicycle', 'car', 'motorbike', 'bus', 'truck', 'traffic light', 'plate')
PERSON, BICYCLE, CAR, MOTORBIKE, BUS, TRUCK, LIGHT, PLATE = range(8)
# COCO class of each; COCO has no plates
COCO = (0, 1, 2, 3, 5, 7, 9, None)
# Classes that mean the same to COCO and to us. A two-wheeler of COCO has no riders in its box.
SHARED = (PERSON, CAR, BUS, TRUCK, LIGHT)
# suppression works across a group: one object is easily given several labels of it
GROUPS = np.array([0, 1, 2, 1, 2, 2, 3, 4])
MAX_IOU = 0.45


def read_picture(path):
    """`[H, W, 3]` uint8 BGR."""
    with Image.open(path) as picture:
        return np.ascontiguousarray(np.asarray(picture.convert('RGB'))[:, :, ::-1])


def compute_iou(a, b):
    """`[n, 4]` against `[m, 4]`, xyxy: `[n, m]`."""
    a, b = np.asarray(a, np.float32).reshape(-1, 1, 4), np.asarray(b, np.float32).reshape(1, -1, 4)
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    area = lambda boxes: (boxes[..., 2:] - boxes[..., :2]).prod(-1)
    return shared / np.maximum(area(a) + area(b) - shared, 1e-9)


def is_overlapping(boxes, others):
    """Which of `boxes` `[n, 4]` share a pixel with one of `others`."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return (high > low).all(-1).any(1)


class OnnxNetwork:
    """A child process that keeps one network open. A context manager; not for several threads."""

    def __init__(self, path, threads=1):
        script = Path(__file__).with_name('run-onnx.mjs')
        self.child = subprocess.Popen(
            ['node', str(script), str(path), str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        # COCO's motorbikes come without their riders, ours with them
        self.has_riders = self.run(np.zeros((32, 32, 3), np.uint8)).shape[1] == 5 + len(NAMES)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait(timeout=30)

    def run(self, picture):
        """Raw rows `[N, 5 + C]` of a BGR picture whose sides are multiples of 32."""
        height, width, _ = picture.shape
        self.child.stdin.write(struct.pack('<II', height, width) + picture.tobytes())
        self.child.stdin.flush()
        rows, columns = struct.unpack('<II', self._read(8))
        return np.frombuffer(self._read(rows * columns * 4), np.float32).reshape(rows, columns)

    def _read(self, size):
        data = self.child.stdout.read(size)
        if len(data) != size:
            raise RuntimeError('the network process ended early')
        return data

    def detect(self, picture, min_confidence=0.02, scale=1.0):
        """`[n, 6]`: xyxy in picture pixels, confidence, class of NAMES; the picture is run at `scale` times its size."""
        height, width, _ = picture.shape
        if scale != 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            picture = np.asarray(Image.fromarray(picture).resize(size, Image.BILINEAR))
        h, w, _ = picture.shape
        padded = np.full((-(-h // 32) * 32, -(-w // 32) * 32, 3), 114, np.uint8)
        padded[:h, :w] = picture
        found = decode(self.run(padded), *padded.shape[:2], min_confidence)
        found[:, [0, 2]] = np.clip(found[:, [0, 2]] * (width / w), 0, width)
        found[:, [1, 3]] = np.clip(found[:, [1, 3]] * (height / h), 0, height)
        keep = (found[:, 2] - found[:, 0] >= 1) & (found[:, 3] - found[:, 1] >= 1)
        return suppress(found[keep])


def decode(rows, height, width, min_confidence):
    """Raw rows of 8 or of COCO's 80 classes to `[n, 6]` in input pixels, one class (the strongest of NAMES) a row."""
    classes = rows[:, 5:]
    if classes.shape[1] == 80:
        classes = np.concatenate((classes[:, list(COCO[:7])], np.zeros((len(rows), 1), np.float32)), 1)
    best = classes.argmax(1)
    confidence = rows[:, 4] * classes[np.arange(len(rows)), best]
    grid = np.concatenate(
        [
            np.stack(
                (*(axis.reshape(-1) for axis in np.meshgrid(np.arange(width // s), np.arange(height // s))),
                 np.full((height // s) * (width // s), s)), 1
            )
            for s in (8, 16, 32)
        ]
    )
    keep = confidence >= min_confidence
    rows, grid = rows[keep], grid[keep].astype(np.float32)
    centre = (rows[:, :2] + grid[:, :2]) * grid[:, 2:]
    half = np.exp(np.minimum(rows[:, 2:4], 10)) * grid[:, 2:] / 2
    return np.concatenate(
        (centre - half, centre + half, confidence[keep, None], best[keep, None].astype(np.float32)), 1
    )


def suppress(found, max_iou=MAX_IOU):
    """Non-maximum suppression within each group of labels; most confident first."""
    found = found[np.argsort(-found[:, 4], kind='stable')][:1024]
    groups = GROUPS[found[:, 5].astype(int)]
    overlap = compute_iou(found[:, :4], found[:, :4]) > max_iou
    alive = np.ones(len(found), bool)
    for i in range(len(found)):
        if alive[i]:
            alive[i + 1:] &= ~(overlap[i, i + 1:] & (groups[i + 1:] == groups[i]))
    return found[alive]


def join_riders(found, has_riders):
    """
    Two-wheelers with the persons that sit on them as one box, as the product joins them; persons stay in the list too.
    `has_riders`: the network's motorbikes have their riders in them, and nothing is to be joined.
    """
    if has_riders:
        return found
    found = found.copy()
    persons = found[(found[:, 5] == PERSON) & (found[:, 4] >= 0.15)]
    taken = np.zeros(len(persons), bool)
    for row in found:
        if row[5] not in (BICYCLE, MOTORBIKE):
            continue
        x1, y1, x2, y2 = row[:4].copy()
        width, height = x2 - x1, y2 - y1
        for index, person in enumerate(persons):
            if taken[index]:
                continue
            share = (min(x2, person[2]) - max(x1, person[0])) / min(person[2] - person[0], width)
            ratio = (person[3] - person[1]) / height
            reach = (person[3] - y1) / height
            if share < 0.5 or not 0.35 <= ratio <= 2.6 or not 0.1 <= reach <= 1.1 or (person[1] - y1) / height > 0.4:
                continue
            taken[index] = True
            row[0], row[1], row[2] = min(row[0], person[0]), min(row[1], person[1]), max(row[2], person[2])
            row[4] = max(row[4], person[4])
    return found
