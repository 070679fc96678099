"""Random crops for training: one crop of a picture at a random scale, aspect, light and side."""
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

PAD = 114
# A box is kept where at least this share of it lies in the crop.
MIN_VISIBLE = 0.35
MIN_SIDE_PX = 4


def sample_crop(picture, side, random, ranges, change):
    """
    Returns the crop twice as `[3, side, side]` float32 BGR, as the network is to see it and as it was taken, boxes `[n, 5]` (class, xyxy)
    and regions without loss `[m, 4]`, in crop pixels. `ranges`: of the scale, and of the logarithm of its stretch in width. `change(window, boxes)` may draw into the picture and add boxes.
    """
    with Image.open(picture.file) as opened:
        source = opened.convert('RGB')
    scale_range, stretch_range = ranges
    scale = np.exp(random.uniform(*np.log(scale_range)))
    stretch = np.exp(random.uniform(*stretch_range))
    width, height = source.size
    scale_x, scale_y = scale * stretch, scale / stretch
    # the window in source pixels; it may reach beyond the picture
    span_x, span_y = side / scale_x, side / scale_y
    left, top = _place(picture, span_x, span_y, width, height, random)
    # a window that is made much smaller is read from a smaller picture, or it would flicker
    shrink = max(1, int(1 / scale))
    if shrink > 1:
        source = source.reduce(shrink)
    extent = tuple(value / shrink for value in (left, top, left + span_x, top + span_y))
    window = source.transform(
        (side, side), Image.EXTENT, extent, Image.BILINEAR, fillcolor=(PAD, PAD, PAD)
    )
    factors = np.array((scale_x, scale_y, scale_x, scale_y), np.float32)
    offset = np.array((left, top, left, top), np.float32)
    boxes, kept = _cut((picture.boxes[:, 1:] - offset) * factors, side)
    classes = picture.boxes[kept, :1]
    # what was mostly cut away is neither object nor background
    rest, _ = _cut((picture.boxes[~kept, 1:] - offset) * factors, side, 0.02)
    ignored, _ = _cut((picture.ignored - offset) * factors, side, 0.02)
    ignored = np.concatenate((ignored, rest))
    if random.random() < 0.5:
        window = window.transpose(Image.FLIP_LEFT_RIGHT)
        boxes, ignored = _mirror(boxes, side), _mirror(ignored, side)
    plain = _to_planes(window)
    boxes = change(window, np.concatenate((classes, boxes), 1))
    return _to_planes(_relight(window, random)), plain, boxes, ignored


def _to_planes(window):
    return np.ascontiguousarray(np.asarray(window, np.float32)[:, :, ::-1].transpose(2, 0, 1))


def _place(picture, span_x, span_y, width, height, random):
    """Upper left corner of the window: mostly around a random object, sometimes anywhere."""
    if len(picture.boxes) and random.random() < 0.8:
        x1, y1, x2, y2 = picture.boxes[random.integers(len(picture.boxes)), 1:]
        centre = random.uniform(x1, x2), random.uniform(y1, y2)
        left = centre[0] - span_x * random.uniform(0.2, 0.8)
        top = centre[1] - span_y * random.uniform(0.2, 0.8)
    else:
        left = random.uniform(0, max(1.0, width - span_x))
        top = random.uniform(0, max(1.0, height - span_y))
    keep = lambda at, span, size: min(max(at, min(0.0, size - span)), max(0.0, size - span))
    return keep(left, span_x, width), keep(top, span_y, height)


def _cut(boxes, side, min_visible=MIN_VISIBLE):
    """Boxes cut at the crop, and which of them stayed."""
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    cut = np.clip(boxes, 0, side)
    sides = cut[:, 2:] - cut[:, :2]
    kept = (sides.prod(1) >= min_visible * area) & (sides.min(1) >= MIN_SIDE_PX)
    return cut[kept], kept


def _mirror(boxes, side):
    return np.stack((side - boxes[:, 2], boxes[:, 1], side - boxes[:, 0], boxes[:, 3]), 1)


def _relight(window, random):
    """The pictures of the junction are equalised: less contrast, less colour and some blur lead back to ordinary video."""
    window = ImageEnhance.Contrast(window).enhance(random.uniform(0.5, 1.2))
    window = ImageEnhance.Color(window).enhance(random.uniform(0.3, 1.3))
    dark = random.random() < 0.2
    window = ImageEnhance.Brightness(window).enhance(random.uniform(0.25, 0.6) if dark else random.uniform(0.6, 1.35))
    if random.random() < 0.15:
        window = window.filter(ImageFilter.GaussianBlur(random.uniform(0.4, 1.1)))
    return window
