"""Drawn Vietnamese plates on the vehicles of a crop: more plates, and larger ones, than the labelled scenes have."""
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from detection import BUS, CAR, MOTORBIKE, PLATE, TRUCK, is_overlapping

sys.path.insert(0, str(Path(__file__).parents[1] / 'plate-reader'))
from synthetic_plate import FONT_FILES, draw_plate, draw_text, find_fonts  # noqa: E402

# Width of a plate by the width of the vehicle's box, and the height of its middle in the box.
PLACES = {MOTORBIKE: ((0.2, 0.42), (0.5, 0.85)), CAR: ((0.14, 0.32), (0.55, 0.85)), BUS: ((0.1, 0.2), (0.7, 0.92)), TRUCK: ((0.1, 0.22), (0.6, 0.9))}
MIN_WIDTH_PX, MIN_HEIGHT_PX = 8, 5
DRAWN = 600
# Of plates without a vehicle: their width in a crop, and how many of them at most.
LONE_WIDTH_PX, MOST_LONE = (14, 240), 3


def draw_stock(seed):
    """`DRAWN` plates from straight ahead, RGB, alike for each seed."""
    random = np.random.default_rng((seed, 31))
    fonts = find_fonts(FONT_FILES)
    return [draw_plate(random, *draw_text(random), fonts) for _ in range(DRAWN)]


def put_plates(window, boxes, stock, random, share):
    """
    Puts a plate on each vehicle of `boxes` `[n, 5]` with probability `share`, in place. `window`: RGB picture. A vehicle whose plate
    is already labelled keeps it. Returns the boxes with those of the plates.
    """
    plates = boxes[boxes[:, 0] == PLATE, 1:]
    added = []
    for kind, x1, y1, x2, y2 in boxes:
        if kind not in PLACES or random.random() >= share or _holds_middle((x1, y1, x2, y2), plates):
            continue
        (low, high), (top, bottom) = PLACES[int(kind)]
        plate = _turn(stock[random.integers(len(stock))], random)
        width = int(random.uniform(low, high) * (x2 - x1))
        height = int(width * plate.height / plate.width)
        if width < MIN_WIDTH_PX or height < MIN_HEIGHT_PX:
            continue
        left = int((x1 + x2) / 2 + random.normal(0, 0.12) * (x2 - x1) - width / 2)
        upper = int(y1 + random.uniform(top, bottom) * (y2 - y1) - height / 2)
        if left < 0 or upper < 0 or left + width > window.width or upper + height > window.height:
            continue
        paste(window, plate, (left, upper, left + width, upper + height), random)
        added.append((PLATE, left, upper, left + width, upper + height))
    return np.concatenate((boxes, np.array(added, np.float32).reshape(-1, 5)))


def put_lone_plates(window, boxes, stock, random, share):
    """
    Puts one to MOST_LONE plates where nothing of `boxes` is, with probability `share`, in place: a plate is one without its vehicle, too. `window`: RGB picture.
    Returns the boxes with those of the plates.
    """
    if random.random() >= share:
        return boxes
    for _ in range(random.integers(1, MOST_LONE + 1)):
        plate = _turn(stock[random.integers(len(stock))], random)
        width = int(np.exp(random.uniform(*np.log(LONE_WIDTH_PX))))
        height = int(width * plate.height / plate.width)
        if height < MIN_HEIGHT_PX or height >= window.height:
            continue
        left, upper = int(random.integers(window.width - width)), int(random.integers(window.height - height))
        box = (left, upper, left + width, upper + height)
        if is_overlapping(np.array([box], np.float32), boxes[:, 1:]).any():
            continue
        paste(window, plate, box, random)
        boxes = np.concatenate((boxes, np.array([(PLATE, *box)], np.float32)))
    return boxes


def _holds_middle(box, plates):
    middle = (plates[:, :2] + plates[:, 2:]) / 2
    return bool(((middle > np.array(box[:2])) & (middle < np.array(box[2:]))).all(1).any())


def _turn(plate, random):
    """The plate seen somewhat from the side, RGBA."""
    image = plate.convert('RGBA')
    squeeze = random.uniform(0.7, 1.0)
    image = image.resize((max(8, int(image.width * squeeze)), image.height), Image.BILINEAR)
    shear = random.normal(0, 0.08)
    rise = abs(shear) * image.width
    size = (image.width, int(image.height + rise))
    image = image.transform(size, Image.AFFINE, (1, 0, 0, shear, 1, -rise if shear < 0 else 0), Image.BILINEAR)
    box = image.getbbox()
    return image.crop(box) if box else plate.convert('RGBA')


def paste(window, plate, box, random):
    """Puts the RGBA picture `plate` into `box` of the RGB picture `window`, in place, in the light and as sharp as what is around it."""
    left, upper, right, lower = box
    size = (right - left, lower - upper)
    # few pixels are made by averaging, as a camera does
    small = plate.resize(size, Image.BOX if plate.width > 2 * size[0] else Image.BILINEAR)
    around = np.asarray(window.crop(box), np.float32)
    pixels = np.asarray(small, np.float32)
    light = np.clip((around.mean() + 60) / 170, 0.35, 1.1) * random.uniform(0.75, 1.25)
    colour = pixels[..., :3] * light + random.normal(0, 4, pixels[..., :3].shape)
    alpha = pixels[..., 3:] / 255
    mixed = Image.fromarray(np.clip(colour * alpha + around * (1 - alpha), 0, 255).astype(np.uint8))
    window.paste(mixed, (left, upper))
    # seams and letters are as sharp as the rest of the picture
    rim = (max(0, left - 3), max(0, upper - 3), min(window.width, right + 3), min(window.height, lower + 3))
    blur = random.uniform(0.3, 0.9) * max(1.0, size[0] / 60)
    window.paste(window.crop(rim).filter(ImageFilter.GaussianBlur(blur)), rim[:2])
