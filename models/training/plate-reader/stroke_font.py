"""A stroke font of our own with the proportions of Vietnamese plates: tall, straight-sided, round-cornered, one stroke width.

Glyphs are lists of open lines in a unit box (x to the right, y down). Nothing here is taken from a font file.
"""
import math

from PIL import Image, ImageDraw

_STEPS = 7


def _arc(cx, cy, rx, ry, start, end):
    """Points on an ellipse from angle `start` to `end`, degrees, clockwise on the screen, 0 = right."""
    return [
        (cx + rx * math.cos(math.radians(start + (end - start) * k / _STEPS)),
         cy + ry * math.sin(math.radians(start + (end - start) * k / _STEPS)))
        for k in range(_STEPS + 1)
    ]


def _bowl(top, bottom, left=0.0, right=1.0, radius=0.24):
    """Closed round-cornered box."""
    r = min(radius, (bottom - top) / 2)
    w = min(0.5 * (right - left), 0.42)
    points = _arc(right - w, top + r, w, r, -90, 0) + _arc(right - w, bottom - r, w, r, 0, 90)
    points += _arc(left + w, bottom - r, w, r, 90, 180) + _arc(left + w, top + r, w, r, 180, 270)
    return points + points[:1]


def _half(top, bottom, left, right):
    """From the left edge, round to the right, back to the left edge (B, P, R, D)."""
    r = (bottom - top) / 2 if bottom - top < 0.6 else 0.26
    w = 0.45
    return [(left, top)] + _arc(right - w, top + r, w, r, -90, 0) + _arc(right - w, bottom - r, w, r, 0, 90) + [(left, bottom)]


GLYPHS = {
    '0': [_bowl(0, 1)],
    '1': [[(0.2, 0.2), (0.62, 0.0), (0.62, 1.0)]],
    '2': [_arc(0.5, 0.26, 0.5, 0.26, -175, 20) + [(0.02, 0.98), (0.02, 1.0), (1.0, 1.0)]],
    '3': [_arc(0.5, 0.25, 0.48, 0.25, -170, 80) + [(0.4, 0.5)], [(0.4, 0.5)] + _arc(0.5, 0.74, 0.5, 0.26, -80, 170)],
    '4': [[(0.62, 0.0), (0.0, 0.7), (1.0, 0.7)], [(0.74, 0.4), (0.74, 1.0)]],
    '5': [[(0.92, 0.0), (0.12, 0.0), (0.06, 0.46)] + _arc(0.48, 0.69, 0.52, 0.31, -140, 165)],
    '6': [_bowl(0.42, 1.0, radius=0.28), [(0.0, 0.7)] + _arc(0.5, 0.26, 0.5, 0.26, 180, 350)],
    '7': [[(0.0, 0.0), (1.0, 0.0), (0.36, 1.0)]],
    '8': [_bowl(0.0, 0.49, left=0.05, right=0.95, radius=0.23), _bowl(0.49, 1.0, radius=0.25)],
    '9': [_bowl(0.0, 0.58, radius=0.28), [(1.0, 0.3)] + _arc(0.5, 0.74, 0.5, 0.26, 0, 170)],
    'A': [[(0.0, 1.0), (0.5, 0.0), (1.0, 1.0)], [(0.18, 0.68), (0.82, 0.68)]],
    'B': [[(0.04, 0.0), (0.04, 1.0)], _half(0.0, 0.48, 0.04, 0.94), _half(0.48, 1.0, 0.04, 1.0)],
    'C': [_arc(0.5, 0.27, 0.5, 0.27, -10, -180) + _arc(0.5, 0.73, 0.5, 0.27, 180, 10)],
    'D': [[(0.04, 0.0), (0.04, 1.0)], _half(0.0, 1.0, 0.04, 1.0)],
    'E': [[(0.96, 0.0), (0.04, 0.0), (0.04, 1.0), (0.96, 1.0)], [(0.04, 0.49), (0.85, 0.49)]],
    'F': [[(0.96, 0.0), (0.04, 0.0), (0.04, 1.0)], [(0.04, 0.49), (0.85, 0.49)]],
    'G': [_arc(0.5, 0.27, 0.5, 0.27, -10, -180) + _arc(0.5, 0.73, 0.5, 0.27, 180, 0) + [(1.0, 0.52), (0.55, 0.52)]],
    'H': [[(0.04, 0.0), (0.04, 1.0)], [(0.96, 0.0), (0.96, 1.0)], [(0.04, 0.49), (0.96, 0.49)]],
    'K': [[(0.04, 0.0), (0.04, 1.0)], [(0.96, 0.0), (0.06, 0.6)], [(0.38, 0.42), (1.0, 1.0)]],
    'L': [[(0.04, 0.0), (0.04, 1.0), (0.96, 1.0)]],
    'M': [[(0.0, 1.0), (0.0, 0.0), (0.5, 0.7), (1.0, 0.0), (1.0, 1.0)]],
    'N': [[(0.03, 1.0), (0.03, 0.0), (0.97, 1.0), (0.97, 0.0)]],
    'P': [[(0.04, 0.0), (0.04, 1.0)], _half(0.0, 0.54, 0.04, 1.0)],
    'R': [[(0.04, 0.0), (0.04, 1.0)], _half(0.0, 0.52, 0.04, 1.0), [(0.5, 0.52), (1.0, 1.0)]],
    'S': [_arc(0.5, 0.25, 0.48, 0.25, -15, -180) + _arc(0.5, 0.25, 0.48, 0.25, 180, 105)
          + _arc(0.5, 0.74, 0.5, 0.26, -75, 165)],
    'T': [[(0.0, 0.0), (1.0, 0.0)], [(0.5, 0.0), (0.5, 1.0)]],
    'U': [[(0.02, 0.0), (0.02, 0.74)] + _arc(0.5, 0.74, 0.48, 0.26, 180, 0) + [(0.98, 0.0)]],
    'V': [[(0.0, 0.0), (0.5, 1.0), (1.0, 0.0)]],
    'X': [[(0.0, 0.0), (1.0, 1.0)], [(1.0, 0.0), (0.0, 1.0)]],
    'Y': [[(0.0, 0.0), (0.5, 0.52), (1.0, 0.0)], [(0.5, 0.52), (0.5, 1.0)]],
    'Z': [[(0.03, 0.0), (0.97, 0.0), (0.03, 1.0), (0.97, 1.0)]],
}
GLYPHS['Q'] = GLYPHS['0'] + [[(0.6, 0.72), (1.0, 1.0)]]
GLYPHS['Đ'] = GLYPHS['D'] + [[(-0.2, 0.49), (0.45, 0.49)]]


def draw_glyph(character, width, height, stroke):
    """Mask `L` of one character. The stroke lies inside of the box; `Đ` reaches out of it to the left."""
    over = int(width * 0.25) if character == 'Đ' else 0
    scale = 3
    image = Image.new('L', ((width + over) * scale, height * scale), 0)
    pen = ImageDraw.Draw(image)
    pen_width = max(2, int(stroke * scale))
    half = pen_width / 2
    span_x, span_y = width * scale - pen_width, height * scale - pen_width
    for line in GLYPHS[character]:
        points = [(over * scale + half + x * span_x, half + y * span_y) for x, y in line]
        pen.line(points, fill=255, width=pen_width, joint='curve')
        for x, y in (points[0], points[-1]):
            pen.rectangle((x - half, y - half, x + half, y + half), fill=255) if character in 'EFHLTZ4175' else pen.ellipse(
                (x - half, y - half, x + half, y + half), fill=255)
    return image.resize((width + over, height), Image.BOX)
