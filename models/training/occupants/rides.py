"""Reads motorbikes whose occupants were counted by eye, and cuts them out as the product does (edge/src/occupant/occupant-net.ts)."""
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

ROWS, COLUMNS = 128, 96
# What is cut out beside the box: heads often end above it. In heights of the box; the least width in its widths.
ABOVE, BELOW, WIDEN = 0.35, 0.05, 1.2
# A cut-out is kept with this margin on each side, so that views of it may move, and with no more rows.
MARGIN, MOST_ROWS = 0.25, 320
FOLDS = 5


@dataclass(frozen=True)
class Ride:
    picture: str
    occupants: int
    # RGB, `MARGIN` larger than what the product looks at, on each side
    crop: Image.Image
    # height of the box, px
    height: float


def locate_patch(box):
    """The region that the network looks at: x1, y1, x2, y2, px."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    rows = max((1 + ABOVE + BELOW) * height, WIDEN * width * ROWS / COLUMNS)
    columns = rows * COLUMNS / ROWS
    middle, bottom = (x1 + x2) / 2, y2 + BELOW * height
    return middle - columns / 2, bottom - rows, middle + columns / 2, bottom


def read_rides(data, file):
    """The rides of a file of annotations (models/annotations/riders-counted.json), in the order of its pictures."""
    rides = []
    for key, motorbikes in sorted(json.loads(Path(file).read_text())['pictures'].items()):
        folder, name = key.split('/')
        with Image.open(Path(data) / folder / 'images' / name) as opened:
            picture = opened.convert('RGB')
        for *box, occupants in motorbikes:
            rides.append(Ride(key, occupants, cut_out(picture, box), box[3] - box[1]))
    return rides


def cut_out(picture, box):
    x1, y1, x2, y2 = locate_patch(box)
    dx, dy = MARGIN * (x2 - x1), MARGIN * (y2 - y1)
    columns = np.clip(np.arange(round(x1 - dx), round(x2 + dx)), 0, picture.width - 1)
    rows = np.clip(np.arange(round(y1 - dy), round(y2 + dy)), 0, picture.height - 1)
    crop = Image.fromarray(np.asarray(picture)[rows][:, columns])
    return crop if crop.height <= MOST_ROWS else crop.resize((round(crop.width * MOST_ROWS / crop.height), MOST_ROWS), Image.Resampling.BOX)


def show(crop, scale=1.0, moved=(0.0, 0.0)):
    """What the network looks at, BGR planes 0-255; `moved` in its widths and heights."""
    return to_planes(view(crop, scale, moved))


def view(crop, scale, moved):
    width, height = (side / (1 + 2 * MARGIN) for side in crop.size)
    cx, cy = crop.width / 2 + moved[0] * width, crop.height / 2 + moved[1] * height
    box = (cx - scale * width / 2, cy - scale * height / 2, cx + scale * width / 2, cy + scale * height / 2)
    box = (max(0, box[0]), max(0, box[1]), min(crop.width, box[2]), min(crop.height, box[3]))
    return crop.resize((COLUMNS, ROWS), Image.Resampling.BILINEAR, box)


def show_otherwise(crop, random):
    """As another camera might show it: another box, mirrored, fewer pixels, other light, blurred, noisy, compressed, partly covered."""
    picture = view(crop, random.uniform(0.85, 1.2), random.uniform(-0.07, 0.07, 2))
    if random.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if random.random() < 0.5:
        rows = int(np.exp(random.uniform(np.log(36), np.log(ROWS))))
        picture = picture.resize((max(1, rows * COLUMNS // ROWS), rows), Image.Resampling.BOX).resize((COLUMNS, ROWS), Image.Resampling.BILINEAR)
    for enhance, low, high in ((ImageEnhance.Brightness, 0.5, 1.6), (ImageEnhance.Contrast, 0.6, 1.6), (ImageEnhance.Color, 0.0, 1.6)):
        picture = enhance(picture).enhance(random.uniform(low, high))
    if random.random() < 0.3:
        picture = picture.rotate(random.normal(0, 5), Image.Resampling.BILINEAR, fillcolor=(110, 110, 110))
    if random.random() < 0.25:
        picture = picture.filter(ImageFilter.GaussianBlur(random.uniform(0.4, 1.6)))
    if random.random() < 0.4:
        packed = io.BytesIO()
        picture.save(packed, 'JPEG', quality=int(random.integers(15, 70)))
        picture = Image.open(packed).convert('RGB')
    planes = to_planes(picture) * random.uniform(0.85, 1.15, (3, 1, 1))
    planes += random.normal(0, random.uniform(0, 8), planes.shape)
    if random.random() < 0.3:
        cover(planes, random)
    return np.clip(planes, 0, 255).astype(np.float32)


def cover(planes, random):
    """Something stands before a part of the lower half or of a side."""
    side, depth = random.integers(3), random.uniform(0.08, 0.3)
    colour = random.uniform(0, 255, (3, 1, 1))
    if side == 0:
        planes[:, round(ROWS * (1 - depth)) :, :] = colour
    elif side == 1:
        planes[:, :, : round(COLUMNS * depth)] = colour
    else:
        planes[:, :, round(COLUMNS * (1 - depth)) :] = colour


def to_planes(picture):
    return np.ascontiguousarray(np.asarray(picture, dtype=np.float32).transpose(2, 0, 1)[::-1])
