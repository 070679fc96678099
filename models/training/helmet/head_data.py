"""Reads labelled heads and makes versions of them as other cameras would show them."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

SIZE = 64
CONTEXT = 1.3
"""What is cut out, in widths and heights of the head's box; the product cuts the same."""
BARE = 1
"""Class index of a bare head in the label files; 0 is a helmet."""
SMALLEST = 8
"""Heads of fewer pixels across are left out: a helmet cannot be told from hair in them."""
SAME_BITS = 8
"""Two photos whose 128-bit gradient hashes differ in at most this many bits are one group."""


@dataclass(frozen=True)
class Head:
    photo: str
    label: int
    side: float
    """Shorter side of the box, px."""
    picture: Image.Image
    """RGB: twice the context around the head, so that the cut may move."""
    group: int = 0


def read_heads(folder: str) -> list[Head]:
    photos = sorted(glob.glob(os.path.join(folder, "images", "*")))
    groups = group_photos(photos)
    heads = []
    for photo in photos:
        label = os.path.join(folder, "labels", os.path.splitext(os.path.basename(photo))[0] + ".txt")
        if not os.path.exists(label):
            continue
        picture = Image.open(photo).convert("RGB")
        with open(label, encoding="utf-8") as lines:
            rows = [[float(value) for value in line.split()] for line in lines if line.strip()]
        for kind, x, y, w, h in rows:
            width, height = w * picture.width, h * picture.height
            if min(width, height) < SMALLEST:
                continue
            half_x, half_y = width * CONTEXT, height * CONTEXT
            cx, cy = x * picture.width, y * picture.height
            box = tuple(round(value) for value in (cx - half_x, cy - half_y, cx + half_x, cy + half_y))
            heads.append(Head(photo, int(kind), min(width, height), cut(picture, box), groups[photo]))
    return heads


def cut(picture: Image.Image, box: tuple[int, ...]) -> Image.Image:
    """What lies outside the picture is its nearest edge; at most 192 px, more is never looked at."""
    left, top, right, bottom = box
    columns = np.clip(np.arange(left, max(right, left + 1)), 0, picture.width - 1)
    rows = np.clip(np.arange(top, max(bottom, top + 1)), 0, picture.height - 1)
    inner = picture.crop((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    pixels = np.asarray(inner)[rows - rows[0]][:, columns - columns[0]]
    result = Image.fromarray(pixels)
    if max(result.size) > 192:
        scale = 192 / max(result.size)
        result = result.resize((max(1, round(result.width * scale)), max(1, round(result.height * scale))), Image.Resampling.BILINEAR)
    return result


def group_photos(photos: list[str]) -> dict[str, int]:
    """Photos that are nearly the same share a group, also where one is mirrored."""
    hashes, mirrored = [], []
    for photo in photos:
        grey = Image.open(photo).convert("L")
        hashes.append(gradient_hash(grey))
        mirrored.append(gradient_hash(grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    groups = list(range(len(photos)))
    for index in range(len(photos)):
        for other in range(index):
            if min((hashes[index] != hashes[other]).sum(), (mirrored[index] != hashes[other]).sum()) <= SAME_BITS:
                old, new = groups[index], groups[other]
                groups = [new if group == old else group for group in groups]
    return dict(zip(photos, groups))


def gradient_hash(grey: Image.Image) -> np.ndarray:
    across = np.asarray(grey.resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    down = np.asarray(grey.resize((8, 9), Image.Resampling.BOX), dtype=np.int16)
    return np.concatenate([(np.diff(across, axis=1) > 0).ravel(), (np.diff(down, axis=0) > 0).ravel()])


def plain_view(head: Head) -> np.ndarray:
    """The head as the product cuts it: [3, SIZE, SIZE], BGR, 0-255."""
    w, h = head.picture.size
    return to_planes(head.picture.resize((SIZE, SIZE), Image.Resampling.BILINEAR, (w / 4, h / 4, 3 * w / 4, 3 * h / 4)))


def other_view(head: Head, random: np.random.Generator) -> np.ndarray:
    """The box moved and of another size, mirrored, fewer pixels, other light, blurred, noisy."""
    w, h = head.picture.size
    half_w, half_h = w / 4 * random.uniform(0.8, 1.3), h / 4 * random.uniform(0.8, 1.3)
    cx, cy = w / 2 + w / 4 * random.uniform(-0.25, 0.25), h / 2 + h / 4 * random.uniform(-0.25, 0.25)
    box = (max(0, cx - half_w), max(0, cy - half_h), min(w, cx + half_w), min(h, cy + half_h))
    # a traffic camera shows a head in a dozen pixels; photos must learn to look like that
    across = int(min(np.exp(random.uniform(np.log(10), np.log(64))), SIZE))
    view = head.picture.resize((across, across), Image.Resampling.BOX if across < w / 2 else Image.Resampling.BILINEAR, box)
    view = view.rotate(random.normal(0, 8), Image.Resampling.BILINEAR, fillcolor=view.getpixel((0, 0)))
    if random.random() < 0.5:
        view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    view = ImageEnhance.Brightness(view).enhance(random.uniform(0.55, 1.5))
    view = ImageEnhance.Contrast(view).enhance(random.uniform(0.6, 1.4))
    view = ImageEnhance.Color(view).enhance(random.uniform(0.2, 1.5))
    view = view.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    if random.random() < 0.3:
        view = view.filter(ImageFilter.GaussianBlur(random.uniform(0.5, 2)))
    noisy = to_planes(view) + random.normal(0, random.uniform(0, 8), (3, SIZE, SIZE))
    return np.clip(noisy * random.uniform(0.9, 1.1, (3, 1, 1)), 0, 255).astype(np.float32)


def to_planes(picture: Image.Image) -> np.ndarray:
    return np.ascontiguousarray(np.asarray(picture, dtype=np.float32).transpose(2, 0, 1)[::-1])
