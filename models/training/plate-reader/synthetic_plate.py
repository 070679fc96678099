"""Synthetic Vietnamese plates: texts by the rules of `plate-format-data.ts`, drawn, dirtied, seen at an angle, and badly photographed.

`draw_samples(rng, fonts)` returns RGB pictures of 128×64, each with its canonical text (Đ as D) and layout (0 one line, 1 two lines).
"""
import io
import os

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from stroke_font import draw_glyph

SERIES = 'ABCDEFGHKLMNPRSTUVXYZ'
SECOND = 'ABCDEFHKLMNPRSTUVXYZ'
CODES = [c for c in range(11, 100) if c not in (13, 42, 44, 45, 46, 87, 91, 96)]
SPECIALS = ['LD', 'DA', 'KT', 'HC', 'TD', 'MK', 'CD', 'R', 'RM', 'T', 'MD']
NETWORK_SIZE = (128, 64)

FONT_FILES = [  # searched under $PLATE_FONTS and /usr/share/fonts; what is missing is left out
    'truetype/dejavu/DejaVuSansCondensed-Bold.ttf',
    'truetype/dejavu/DejaVuSans-Bold.ttf',
    'truetype/roboto/unhinted/RobotoCondensed-Bold.ttf',
    'truetype/roboto/unhinted/RobotoCondensed-Regular.ttf',
    'truetype/roboto/unhinted/RobotoTTF/Roboto-Medium.ttf',
    'truetype/opendin/OSP-DIN.ttf',
    'opentype/dosis/Dosis-Bold.otf',
]
HELD_OUT_FONTS = ['opentype/dosis/Dosis-ExtraBold.otf', 'truetype/roboto/unhinted/RobotoTTF/Roboto-Bold.ttf',
                  'truetype/dejavu/DejaVuSansCondensed.ttf']

_fonts = {}
_glyphs = {}


def find_fonts(names):
    roots = [os.environ.get('PLATE_FONTS', ''), '/usr/share/fonts']
    return [os.path.join(root, name) for name in names for root in roots[::-1] if root and os.path.exists(os.path.join(root, name))]


def _digits(rng, count):
    if rng.random() < 0.12:  # repeated digits are sought after
        return str(rng.integers(10)) * count
    return ''.join(str(d) for d in rng.integers(0, 10, count))


def _letter(rng, letters=SERIES):
    return letters[rng.integers(len(letters))]


def draw_text(rng):
    """(kind, lines): what is written on the plate, `-` and `.` included."""
    code = f'{CODES[rng.integers(len(CODES))]:02d}'
    kind = rng.choice(['car-long', 'car-short', 'bike', 'bike-electric', 'special', 'military', 'diplomatic', 'free'],
                      p=[0.33, 0.09, 0.37, 0.06, 0.06, 0.03, 0.02, 0.04])
    tail = f'{_digits(rng, 3)}.{_digits(rng, 2)}' if rng.random() < 0.75 else _digits(rng, 4)
    dash = '-' if rng.random() < 0.85 else ('.' if rng.random() < 0.3 else '')
    if kind == 'car-long':
        return kind, [f'{code}{_letter(rng)}{dash}{tail}']
    if kind == 'car-short':
        return kind, [f'{code}{_letter(rng)}' if rng.random() < 0.8 else f'{code}-{_letter(rng)}', tail]
    if kind == 'bike':
        second = str(rng.integers(1, 10)) if rng.random() < 0.72 else _letter(rng, SECOND)
        return kind, [f'{code}{dash}{_letter(rng)}{second}', tail]
    if kind == 'bike-electric':
        return kind, [f'{code}{dash}MĐ{rng.integers(1, 10)}', tail if '.' in tail else _digits(rng, 3) + '.' + _digits(rng, 2)]
    if kind == 'special':
        series = SPECIALS[rng.integers(len(SPECIALS))].replace('TD', 'TĐ').replace('MD', 'MĐ')
        return (kind, [f'{code}{series}{dash}{tail}']) if rng.random() < 0.5 else (kind, [f'{code}{series}', tail])
    if kind == 'military':
        pair = _letter(rng) + _letter(rng)
        body = f'{_digits(rng, 2)}-{_digits(rng, 2)}'
        return (kind, [f'{pair}-{body}']) if rng.random() < 0.6 else (kind, [pair, body])
    if kind == 'diplomatic':
        series = rng.choice(['NG', 'QT', 'NN', 'CV'])
        return (kind, [f'{code}-{_digits(rng, 3)}-{series}-{_digits(rng, 2)}']) if rng.random() < 0.4 else (
            kind, [f'{code}-{_digits(rng, 3)}', f'{series}-{_digits(rng, 2)}'])
    every = SERIES + '0123456789'
    word = ''.join(every[k] for k in rng.integers(0, len(every), rng.integers(6, 10)))
    return (kind, [word]) if rng.random() < 0.5 else (kind, [word[:len(word) // 2], word[len(word) // 2:]])


def canonical(lines):
    return ''.join(c for line in lines for c in line if c.isalnum()).replace('Đ', 'D')


def _font_glyph(path, character, width, height):
    key = (path, character)
    if key not in _glyphs:
        font = _fonts.setdefault(path, ImageFont.truetype(path, 120))
        box = font.getbbox(character)
        image = Image.new('L', (box[2] - box[0] + 4, box[3] - box[1] + 4), 0)
        ImageDraw.Draw(image).text((2 - box[0], 2 - box[1]), character, fill=255, font=font)
        _glyphs[key] = image.crop(image.getbbox())
    glyph = _glyphs[key]
    if character == '1':
        width = max(4, int(width * 0.62))
    return glyph.resize((width, height), Image.BILINEAR)


def _stroke_glyph(character, width, height, stroke):
    key = (character, round(width / height, 1), round(stroke / height, 2))  # drawn once per shape, then scaled
    if key not in _glyphs:
        _glyphs[key] = draw_glyph(character, max(8, int(64 * key[1])), 64, 64 * key[2])
    glyph = _glyphs[key]
    return glyph.resize((int(glyph.width * width / max(8, int(64 * key[1]))), height), Image.BILINEAR)


def _line_mask(rng, text, size, style):
    """One line of characters filling most of a box."""
    width, height = size
    mask = Image.new('L', size, 0)
    weights = [0.34 if c in '-.' else 1.0 for c in text]
    gap = style['gap']
    unit = width / (sum(weights) + gap * (len(text) - 1))
    unit = min(unit, height * style['widest'])
    total = unit * (sum(weights) + gap * (len(text) - 1))
    x = (width - total) * rng.uniform(0.3, 0.7)
    for character, weight in zip(text, weights):
        w = max(3, int(unit * weight))
        if character == '-':
            h = max(2, int(height * rng.uniform(0.1, 0.14)))
            mask.paste(255, (int(x), int(height * 0.5 - h / 2), int(x) + w, int(height * 0.5 + h / 2)))
        elif character == '.':
            r = max(2, int(height * style['dot']))
            y = height - r if style['low_dot'] else int(height * 0.5)
            ImageDraw.Draw(mask).ellipse((x + w / 2 - r, y - r, x + w / 2 + r, y + r), fill=255)
        else:
            glyph = _stroke_glyph(character, w, height, height * style['stroke']) if style['font'] is None else _font_glyph(
                style['font'], character, w, height)
            mask.paste(glyph, (int(x + (w - glyph.width) * (0.5 if glyph.width <= w else 1)), 0), glyph)
        x += unit * (weight + gap)
    return mask


GROUNDS = [((238, 238, 236), (22, 22, 26), 0.74), ((236, 196, 40), (24, 22, 22), 0.12), ((28, 62, 160), (236, 238, 240), 0.08),
           ((176, 24, 32), (240, 240, 238), 0.04), ((228, 230, 226), (170, 24, 30), 0.02)]


def draw_plate(rng, kind, lines, fonts):
    """The plate from straight ahead, RGB."""
    if len(lines) == 1:
        size = (rng.integers(300, 340), rng.integers(64, 76))
    elif kind in ('bike', 'bike-electric') or rng.random() < 0.3:
        size = (rng.integers(200, 232), rng.integers(146, 170))
    else:
        size = (rng.integers(230, 280), rng.integers(126, 150))
    width, height = int(size[0]), int(size[1])
    style = {
        'font': None if rng.random() < 0.6 or not fonts else fonts[rng.integers(len(fonts))],
        'stroke': rng.uniform(0.115, 0.185), 'gap': rng.uniform(0.1, 0.3), 'dot': rng.uniform(0.04, 0.08),
        'low_dot': rng.random() < 0.5, 'widest': rng.uniform(0.5, 0.72),
    }
    mask = Image.new('L', (width, height), 0)
    margin_x, margin_y = rng.uniform(0.03, 0.09), rng.uniform(0.06, 0.16)
    inner = int(width * (1 - 2 * margin_x))
    if len(lines) == 1:
        h = int(height * (1 - 2 * margin_y) * rng.uniform(0.85, 1))
        mask.paste(_line_mask(rng, lines[0], (inner, h), style), (int(width * margin_x), (height - h) // 2))
    else:
        h = int(height * (1 - 2 * margin_y - rng.uniform(0.06, 0.12)) / 2)
        top_width = int(inner * rng.uniform(0.68, 0.98))
        mask.paste(_line_mask(rng, lines[0], (top_width, h), style), (int((width - top_width) * rng.uniform(0.4, 0.6)), int(height * margin_y)))
        mask.paste(_line_mask(rng, lines[1], (inner, h), style), (int(width * margin_x), int(height * (1 - margin_y)) - h))
    pick = 2 + rng.integers(2) if kind == 'military' and rng.random() < 0.8 else rng.choice(len(GROUNDS), p=[g[2] for g in GROUNDS])
    ground, ink, _ = GROUNDS[3 if kind == 'military' else pick]
    ground = np.clip(np.array(ground) + rng.normal(0, 12, 3), 0, 255)
    ink = np.clip(np.array(ink) + abs(rng.normal(0, 18)), 0, 255)
    alpha = np.asarray(mask, np.float32)[..., None] / 255
    if rng.random() < 0.12:  # worn ink
        alpha = alpha * (1 - rng.uniform(0.2, 0.75) * (_smooth_noise(rng, width, height, rng.integers(4, 14)) > rng.uniform(0.5, 0.8))[..., None])
    picture = ground * (1 - alpha) + ink * alpha
    if rng.random() < 0.5:  # embossed edges
        edge = np.roll(alpha, (1, 1), (0, 1)) - np.roll(alpha, (-1, -1), (0, 1))
        picture = picture + edge * rng.uniform(-50, 50)
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    if rng.random() < 0.55:
        inset, line = rng.integers(1, 6), int(rng.integers(1, 4))
        pen.rectangle((inset, inset, width - inset - 1, height - inset - 1), outline=tuple(int(v) for v in ink), width=line)
    for _ in range(rng.integers(0, 5)):  # bolts, stickers, dirt
        x, y, r = rng.uniform(0, width), rng.choice([0.08, 0.5, 0.92], p=[0.4, 0.2, 0.4]) * height, rng.uniform(1.5, 0.05 * height)
        shade = int(rng.uniform(20, 210))
        pen.ellipse((x - r, y - r, x + r, y + r), fill=(shade, shade, int(shade * rng.uniform(0.7, 1.1)) % 256))
    return image


def _smooth_noise(rng, width, height, cells):
    small = Image.fromarray((rng.random((max(2, int(cells * height / width) + 1), int(cells) + 1)) * 255).astype(np.uint8))
    return np.asarray(small.resize((width, height), Image.BICUBIC), np.float32) / 255


def _homography(source, target):
    """Coefficients for PIL: from target points to source points."""
    rows, right = [], []
    for (sx, sy), (tx, ty) in zip(source, target):
        rows += [[tx, ty, 1, 0, 0, 0, -sx * tx, -sx * ty], [0, 0, 0, tx, ty, 1, -sy * tx, -sy * ty]]
        right += [sx, sy]
    return np.linalg.solve(np.array(rows, float), np.array(right, float))


def _photograph(rng, plate, lines):
    """The plate at an angle on some background, cropped as a detector would."""
    width, height = plate.size
    pad = 24
    scene = np.empty((height + 2 * pad, width + 2 * pad, 3), np.float32)
    base = rng.uniform(10, 235, 3) if rng.random() < 0.4 else rng.uniform(10, 150) + rng.normal(0, 8, 3)
    scene[:] = base
    scene += (_smooth_noise(rng, scene.shape[1], scene.shape[0], rng.integers(2, 12))[..., None] - 0.5) * rng.uniform(0, 160)
    if rng.random() < 0.4:  # frame
        k = int(rng.integers(2, 9))
        scene[pad - k:pad + height + k, pad - k:pad + width + k] = rng.uniform(5, 200)
    scene[pad:pad + height, pad:pad + width] = np.asarray(plate)
    image = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))
    loose = np.abs(rng.normal(0, 0.07, 4)) - 0.012 if rng.random() < 0.8 else rng.uniform(0, 0.28, 4)
    out_w = int(width * (1 + loose[0] + loose[2]))
    out_h = int(height * (1 + loose[1] + loose[3]))
    x0, y0 = width * loose[0], height * loose[1]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    angle = np.radians(rng.normal(0, 5) if rng.random() < 0.85 else rng.uniform(-16, 16))
    if len(lines) == 1:
        angle *= 0.75
    centred = corners - [width / 2, height / 2]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = rng.normal(0, 0.1)
    moved = centred @ np.array([[1, 0], [shear, 1]]) @ turn.T
    moved += rng.normal(0, 0.02 if rng.random() < 0.7 else 0.045, (4, 2)) * [width * 0.6, height]
    # what was turned is larger: the crop holds it all, as a detector's box does
    least, most = moved.min(0), moved.max(0)
    moved = (moved - least) / (most - least) * [width, height]
    target = moved + [x0, y0]
    source = corners + [pad, pad]
    return image.transform((max(8, out_w), max(8, out_h)), Image.PERSPECTIVE, _homography(source, target), Image.BILINEAR,
                           fillcolor=tuple(int(v) for v in np.clip(base * np.ones(3), 0, 255)))


def _motion_blur(rng, pixels):
    length = int(rng.integers(2, 6))
    direction = rng.integers(3)
    total = np.zeros_like(pixels)
    for k in range(length):
        shift = k - length // 2
        total += np.roll(pixels, (shift * (direction != 0), shift * (direction != 1)), (0, 1))
    return total / length


def _light(rng, pixels):
    height, width = pixels.shape[:2]
    if rng.random() < 0.3:  # shadow edge
        a, b, c = rng.normal(0, 1), rng.normal(0, 1), rng.normal(0, 0.5)
        y, x = np.mgrid[0:height, 0:width]
        side = (a * (x / width - 0.5) + b * (y / height - 0.5) + 0.4 * c) * rng.uniform(2, 40)
        pixels = pixels * (1 - rng.uniform(0.2, 0.65) / (1 + np.exp(-np.clip(side, -30, 30))))[..., None]
    if rng.random() < 0.12:  # glare
        y, x = np.mgrid[0:height, 0:width]
        cx, cy, r = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.08, 0.3) * width
        pixels = pixels + (rng.uniform(60, 190) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * r * r)))[..., None]
    if rng.random() < 0.2:  # dirt
        spots = _smooth_noise(rng, width, height, rng.integers(5, 20)) > rng.uniform(0.72, 0.92)
        pixels = pixels + spots[..., None] * (rng.uniform(60, 150) - pixels) * rng.uniform(0.2, 0.7)
    gain = np.exp(rng.normal(-0.08, 0.3)) * (1 + rng.normal(0, 0.05, 3))
    pixels = (pixels - 128) * rng.uniform(0.35, 1.25) + 128
    pixels = pixels * gain + rng.normal(0, 14)
    return 255 * (np.clip(pixels, 0, 255) / 255) ** np.exp(rng.normal(0, 0.25))


def store_as_jpeg(rng, image):
    buffer = io.BytesIO()
    image.save(buffer, 'JPEG', quality=int(rng.integers(25, 92)))
    return Image.open(buffer)


def degrade(rng, image, lines):
    """Few pixels, blur, light, noise, JPEG."""
    low = (62, 240) if len(lines) == 1 else (30, 210)
    width = int(np.exp(rng.uniform(np.log(low[0]), np.log(low[1]))))
    small = image.resize((width, max(8, int(image.height * width / image.width))), Image.BILINEAR)
    if rng.random() < 0.6:
        small = small.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 1.0) * (0.6 + width / 140)))
    pixels = np.asarray(small, np.float32)
    if rng.random() < 0.15:
        pixels = _motion_blur(rng, pixels)
    pixels = _light(rng, pixels)
    if rng.random() < 0.6:
        pixels = pixels + rng.normal(0, rng.uniform(1, 11), pixels.shape)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if rng.random() < 0.3:  # as if it had been enlarged and stored
        image = image.resize((max(width, 140), int(image.height * max(width, 140) / width)), Image.BICUBIC)
    if rng.random() < 0.55:
        image = store_as_jpeg(rng, image)
    if rng.random() < 0.06:
        image = image.convert('L').convert('RGB')
    return image


def draw_samples(rng, fonts, count=2, size=NETWORK_SIZE):
    """`count` photographs of one plate: a list of (picture, text, layout)."""
    kind, lines = draw_text(rng)
    plate = draw_plate(rng, kind, lines, fonts)
    samples = []
    for _ in range(count):
        image = degrade(rng, _photograph(rng, plate, lines), lines).convert('RGB')
        samples.append((image.resize(size, Image.BILINEAR) if size else image, canonical(lines), len(lines) - 1))
    return samples
