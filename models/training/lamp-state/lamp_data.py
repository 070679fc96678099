"""Reads the lamp pictures of the three sources, groups what is nearly the same, and makes unlit heads out of lit ones.

A picture is a uint8 array [HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN, 3], RGB: the lamp head upright (a horizontal head is turned
so that its left end is at the top), stretched to WIDTH x HEIGHT, with a margin of its surroundings (the edge repeated where the
source has none).
"""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass

import numpy as np
from PIL import Image

WIDTH, HEIGHT, MARGIN = 24, 48, 6
STATES = ("off", "red", "amber", "green")
SHAPES = ("disc", "left", "straight", "right")
NO_SHAPE = -1
SOURCES = ("lights-udacity-crops", "lights-indonesia", "lights-korea")
SATURATION_SEEN = 18
"""A box of a photo whose most coloured twentieth has less chroma (0-255) than this shows no lit lens: a box that missed its lamp."""
SAME_BITS = 7
"""Two pictures of one source whose 128-bit gradient hashes differ in at most this many bits are one group."""


@dataclass(frozen=True)
class Lamp:
    """One labelled picture. `group` never lies on both sides of a split."""

    source: str
    file: str
    state: int
    shape: int
    pixels: np.ndarray
    group: str = ""


def read_sources(data: str) -> list[Lamp]:
    """Everything that is labelled, cleaned and grouped."""
    lamps = read_udacity(os.path.join(data, "lights-udacity-crops"))
    names = {0: ("green", "disc"), 1: ("red", "disc"), 2: ("amber", "disc")}
    lamps += read_boxes(os.path.join(data, "lights-indonesia"), names, NO_SHAPE)
    names = {0: ("green", "disc"), 1: ("green", "left"), 2: ("red", "disc"), 3: ("amber", "disc")}
    lamps += read_boxes(os.path.join(data, "lights-korea"), names)
    seen = [lamp for lamp in lamps if lamp.source == SOURCES[0] or chroma(lamp.pixels) >= SATURATION_SEEN]
    return group_alike(seen)


def read_udacity(folder: str) -> list[Lamp]:
    names = {"red": "red", "yellow": "amber", "green": "green"}
    lamps = []
    for path in sorted(glob.glob(os.path.join(folder, "*", "*", "*.jpg"))):
        state = names[os.path.basename(os.path.dirname(path))]
        picture = Image.open(path).convert("RGB")
        pixels = cut(picture, (0, 0, picture.width, picture.height))
        lamps.append(Lamp("lights-udacity-crops", path, STATES.index(state), NO_SHAPE, pixels))
    return lamps


def read_boxes(folder: str, names: dict[int, tuple[str, str]], shape: int | None = None) -> list[Lamp]:
    """YOLO boxes, or polygons, which count by the box around them."""
    lamps = []
    for label in sorted(glob.glob(os.path.join(folder, "labels", "*.txt"))):
        stem = os.path.splitext(os.path.basename(label))[0]
        picture = Image.open(glob.glob(os.path.join(folder, "images", stem + ".*"))[0]).convert("RGB")
        with open(label, encoding="utf-8") as lines:
            rows = [line.split() for line in lines if line.strip()]
        for row in rows:
            state, form = names[int(row[0])]
            box = to_box([float(value) for value in row[1:]], picture.width, picture.height)
            if min(box[2] - box[0], box[3] - box[1]) < 3:
                continue
            form_index = SHAPES.index(form) if shape is None else shape
            source = os.path.basename(folder)
            lamps.append(Lamp(source, f"{stem}#{len(lamps)}", STATES.index(state), form_index, cut(picture, box)))
    return lamps


def to_box(values: list[float], width: int, height: int) -> tuple[int, int, int, int]:
    if len(values) == 4:
        x, y, w, h = values
        left, top, right, bottom = x - w / 2, y - h / 2, x + w / 2, y + h / 2
    else:
        left, top, right, bottom = min(values[0::2]), min(values[1::2]), max(values[0::2]), max(values[1::2])
    return (
        max(0, int(left * width)),
        max(0, int(top * height)),
        min(width, int(np.ceil(right * width))),
        min(height, int(np.ceil(bottom * height))),
    )


def cut(picture: Image.Image, box: tuple[int, int, int, int]) -> np.ndarray:
    """The box with a margin, upright, at the network's size."""
    left, top, right, bottom = box
    lying = right - left > bottom - top
    wide, tall = (HEIGHT, WIDTH) if lying else (WIDTH, HEIGHT)
    mx = int(round((right - left) * MARGIN / wide))
    my = int(round((bottom - top) * MARGIN / tall))
    pixels = np.asarray(picture)
    outer = pixels[max(0, top - my) : bottom + my, max(0, left - mx) : right + mx]
    missing = (
        (my - min(my, top), max(0, bottom + my - pixels.shape[0])),
        (mx - min(mx, left), max(0, right + mx - pixels.shape[1])),
        (0, 0),
    )
    outer = np.pad(outer, missing, mode="edge")
    if lying:
        outer = np.rot90(outer, -1)
    size = (WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN)
    # box filter when shrinking, bilinear when growing: what the product does with a crop
    scaled = Image.fromarray(np.ascontiguousarray(outer)).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(scaled)


def chroma(pixels: np.ndarray) -> float:
    middle = pixels[MARGIN:-MARGIN, MARGIN:-MARGIN].astype(np.int16)
    spread = middle.max(axis=2) - middle.min(axis=2)
    return float(np.quantile(spread, 0.95))


def group_alike(lamps: list[Lamp]) -> list[Lamp]:
    """Joins what is nearly the same within a source, and all crops of one photo; a group is named by its first member."""
    hashes = np.stack([gradient_hash(lamp.pixels) for lamp in lamps])
    parent = list(range(len(lamps)))

    def find(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first_of_photo: dict[str, int] = {}
    for index, lamp in enumerate(lamps):
        distances = (hashes[:index] != hashes[index]).sum(axis=1)
        for other in np.nonzero(distances <= SAME_BITS)[0]:
            parent[find(index)] = find(int(other))
        photo = lamp.source + lamp.file.split("#")[0]
        parent[find(index)] = find(first_of_photo.setdefault(photo, index))
    return [
        Lamp(lamp.source, lamp.file, lamp.state, lamp.shape, lamp.pixels, f"{lamp.source}-{find(index)}")
        for index, lamp in enumerate(lamps)
    ]


def gradient_hash(pixels: np.ndarray) -> np.ndarray:
    grey = Image.fromarray(pixels[MARGIN:-MARGIN, MARGIN:-MARGIN]).convert("L")
    across = np.asarray(grey.resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    down = np.asarray(grey.resize((8, 9), Image.Resampling.BOX), dtype=np.int16)
    return np.concatenate([(np.diff(across, axis=1) > 0).ravel(), (np.diff(down, axis=0) > 0).ravel()])


def put_out(lamp: Lamp, random: np.random.Generator) -> np.ndarray | None:
    """The same head with its lit lens put out: another third of the head is laid over the lit one. None where the lit
    lens is not in one third, or its light lies on the others as well."""
    pixels = lamp.pixels.astype(np.float32)
    body = pixels[MARGIN:-MARGIN, MARGIN:-MARGIN]
    light = body.max(axis=2) * 0.3 + (body.max(axis=2) - body.min(axis=2))
    third = HEIGHT // 3
    strengths = [float(np.quantile(light[i * third : (i + 1) * third], 0.9)) for i in range(3)]
    order = np.argsort(strengths)
    lit = int(order[2])
    if strengths[lit] < 1.5 * strengths[int(order[1])]:
        return None
    donor = int(order[random.integers(0, 2)])
    rows = slice(MARGIN + donor * third, MARGIN + (donor + 1) * third)
    patch = pixels[rows]
    if random.random() < 0.5:
        patch = patch[::-1]
    result = pixels.copy()
    target = slice(MARGIN + lit * third, MARGIN + (lit + 1) * third)
    result[target] = patch
    # glow that is left around the lens: what is more coloured than the lens laid over it turns as grey and dark as that
    spread = patch.max(axis=2) - patch.min(axis=2)
    bound, level = float(np.quantile(spread, 0.9)) + 8, float(np.median(patch.mean(axis=2)))
    near = slice(max(0, target.start - third // 2), target.stop + third // 2)
    part = result[near]
    over = np.clip((part.max(axis=2) - part.min(axis=2) - bound) / 12, 0, 1)[..., None]
    result[near] = part * (1 - over) + over * np.minimum(part.mean(axis=2, keepdims=True), level)
    return np.clip(result, 0, 255).astype(np.uint8)
