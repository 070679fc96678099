"""Draws lamp heads: housings of one to four lenses, discs, arrows and countdown digits, lit and unlit, with glow, banding of
LED lamps against a rolling shutter, visors, and skies or leaves behind. Everything comes from the generator that is handed in."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from lamp_data import HEIGHT, MARGIN, NO_SHAPE, SHAPES, STATES, WIDTH

SCALE = 3
"""Drawn this much larger than the network's picture, then shrunk."""
ORDER = ("red", "amber", "green")
SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abfgcd")


def lit_colour(state: str, random: np.random.Generator) -> np.ndarray:
    """A colour that lamps of this state have in pictures, 0-1, before exposure."""
    between = random.uniform
    if state == "red":
        colour = (1, between(0.02, 0.30), between(0.02, 0.32))
    elif state == "amber":
        colour = (1, between(0.52, 0.86), between(0.0, 0.32))
    else:
        colour = (between(0.0, 0.35), 1, between(0.3, 1.0))
    return np.array(colour, dtype=np.float32)


def draw_head(state: str, random: np.random.Generator) -> tuple[np.ndarray, int]:
    """A head in this state, and the form of its lit lens (NO_SHAPE where none is lit, or digits shine)."""
    width, height = (WIDTH + 2 * MARGIN) * SCALE, (HEIGHT + 2 * MARGIN) * SCALE
    picture = background(width, height, random)
    head = (MARGIN * SCALE, MARGIN * SCALE, width - MARGIN * SCALE, height - MARGIN * SCALE)
    tone = random.uniform(0.02, 0.3) if random.random() < 0.8 else random.uniform(0.3, 0.6)
    housing = np.clip(tone + random.normal(0, 0.02, 3), 0, 1)
    if random.random() < 0.12:
        housing = np.array([0.75, 0.6, 0.1]) * random.uniform(0.4, 1)
    layer = Image.fromarray((picture * 255).astype(np.uint8))
    radius = int(random.uniform(0, 8 * SCALE / 4))
    ImageDraw.Draw(layer).rounded_rectangle(head, radius, fill=tuple(int(v * 255) for v in housing))
    picture = np.asarray(layer, dtype=np.float32) / 255
    if random.random() < 0.08:
        return draw_digits(picture, head, state, random), NO_SHAPE
    lenses, lit = choose_lenses(state, random)
    shape = str(random.choice(SHAPES, p=(0.7, 0.1, 0.1, 0.1)))
    light = np.zeros_like(picture)
    for index, lens in enumerate(lenses):
        mask = lens_mask(picture.shape, head, index, len(lenses), shape if index == lit else "disc", random)
        glass = (0.05 + 0.35 * random.random()) * (0.55 + 0.45 * lit_colour(lens, random) * random.uniform(0.2, 1))
        if random.random() < 0.4:
            glass = np.full(3, 0.5 * random.random(), dtype=np.float32)
        disc = lens_mask(picture.shape, head, index, len(lenses), "disc", random)
        picture = picture * (1 - disc) + disc * glass * tone_of(picture.shape, random)
        if index == lit:
            light += mask * lit_colour(state, random)
    if state != "off":
        picture = shine(picture, light, random, 1.2 if len(lenses) == 1 else 2.6)
    return shrink(picture, random), NO_SHAPE if state == "off" else SHAPES.index(shape)


def choose_lenses(state: str, random: np.random.Generator) -> tuple[list[str], int]:
    count = int(random.choice((1, 2, 3, 4), p=(0.1, 0.12, 0.7, 0.08)))
    if count == 3:
        lenses = list(ORDER)
    elif count == 2:
        lenses = ["red", "green"]
    elif count == 4:
        lenses = ["red", "amber", "green", "green"]
    else:
        lenses = [state if state != "off" else str(random.choice(ORDER))]
    if random.random() < 0.06:
        lenses.reverse()
    if state == "off":
        return lenses, -1
    if state not in lenses:
        lenses = list(ORDER)
    places = [index for index, lens in enumerate(lenses) if lens == state]
    return lenses, int(random.choice(places))


def lens_mask(
    size: tuple[int, ...], head: tuple[int, int, int, int], index: int, count: int, shape: str, random: np.random.Generator
) -> np.ndarray:
    left, top, right, bottom = head
    cell = (bottom - top) / count
    across, along = (right - left) * 0.5, cell * 0.5
    cx, cy = (left + right) / 2, top + (index + 0.5) * cell
    fill = random.uniform(0.62, 0.94)
    mask = Image.new("L", (size[1], size[0]))
    draw = ImageDraw.Draw(mask)
    if shape == "disc":
        draw.ellipse((cx - across * fill, cy - along * fill, cx + across * fill, cy + along * fill), fill=255)
    else:
        draw_arrow(draw, (cx, cy), (across * fill, along * fill), shape, random)
    return (np.asarray(mask, dtype=np.float32) / 255)[..., None]


def draw_arrow(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], half: tuple[float, float], shape: str, random: np.random.Generator
) -> None:
    """An arrow of the head upright; a lying head shows the same arrow turned, which the mix of shapes covers."""
    stem = random.uniform(0.1, 0.22)
    wing = random.uniform(0.45, 0.8)
    tip = np.array([[0, -1], [wing, -0.15], [stem, -0.15], [stem, 1], [-stem, 1], [-stem, -0.15], [-wing, -0.15]])
    turn = {"straight": 0, "right": 1, "left": -1}[shape] * np.pi / 2
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = tip @ rotation.T * np.array(half) + np.array(at)
    draw.polygon([tuple(point) for point in points], fill=255)


def draw_digits(
    picture: np.ndarray, head: tuple[int, int, int, int], state: str, random: np.random.Generator
) -> np.ndarray:
    """A countdown of two digits; off: the same segments unlit."""
    left, top, right, bottom = head
    mask = Image.new("L", (picture.shape[1], picture.shape[0]))
    draw = ImageDraw.Draw(mask)
    thick = int(random.uniform(1.2, 2.2) * SCALE)
    for place in range(2):
        x0 = left + (right - left) * (0.1 + 0.45 * place)
        x1 = x0 + (right - left) * 0.35
        y0, y1 = top + (bottom - top) * 0.15, bottom - (bottom - top) * 0.15
        ym = (y0 + y1) / 2
        lines = {"a": (x0, y0, x1, y0), "b": (x1, y0, x1, ym), "c": (x1, ym, x1, y1), "d": (x0, y1, x1, y1)}
        lines |= {"e": (x0, ym, x0, y1), "f": (x0, y0, x0, ym), "g": (x0, ym, x1, ym)}
        for segment in SEGMENTS[int(random.integers(0, 10))]:
            draw.line(lines[segment], fill=255, width=thick)
    light = (np.asarray(mask, dtype=np.float32) / 255)[..., None]
    if state == "off":
        picture = picture * (1 - light) + light * random.uniform(0.05, 0.3)
        return shrink(picture, random)
    return shrink(shine(picture, light * lit_colour(state, random), random, 1.2), random)


def shine(picture: np.ndarray, light: np.ndarray, random: np.random.Generator, most: float) -> np.ndarray:
    """Adds the light with its glow; a strong one burns out to white in the middle, a weak one hardly leaves the glass. A
    lens without others beside it is never burnt out whole (`most`): its place would not tell its colour."""
    power = float(np.exp(random.uniform(np.log(0.45), np.log(most))))
    if random.random() < 0.3:
        rows = np.arange(light.shape[0], dtype=np.float32)[:, None, None]
        period = random.uniform(6, 40) * SCALE
        duty = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * rows / period + random.uniform(0, 6.3)))
        light = light * (random.uniform(0.2, 0.8) + (1 - random.uniform(0.2, 0.8)) * duty)
    glow = np.zeros_like(light)
    for sigma, share in ((2, 0.35), (7, 0.25)):
        layer = Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))
        blurred = layer.filter(ImageFilter.GaussianBlur(sigma * SCALE * random.uniform(0.5, 1.2)))
        glow += share * random.uniform(0, 1) * np.asarray(blurred, dtype=np.float32) / 255
    total = (light * 0.9 + glow) * power
    lit = np.clip(light.max(axis=2, keepdims=True), 0, 1)
    result = picture * (1 - 0.7 * lit) + total
    # what is beyond full scale spills into the other channels: the core of an overexposed lamp is white or yellowish
    excess = np.clip(result - 1, 0, None).sum(axis=2, keepdims=True)
    return np.clip(result + excess * random.uniform(0.1, 0.6), 0, 1)


def background(width: int, height: int, random: np.random.Generator) -> np.ndarray:
    """A soft field of a few colours: sky, leaves, walls, night."""
    base = random.uniform(0, 1) + random.normal(0, 0.08, 3)
    low = base + random.normal(0, 0.12, (3, 3, 1)) + random.normal(0, random.choice((0.03, 0.15)), (3, 3, 3))
    image = Image.fromarray((np.clip(low, 0, 1) * 255).astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float32) / 255


def tone_of(size: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Light that falls from above: a shade along the height."""
    ramp = np.linspace(random.uniform(0.6, 1.2), random.uniform(0.6, 1.2), size[0], dtype=np.float32)
    return ramp[:, None, None]


def shrink(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    angle = random.normal(0, 3)
    image = image.rotate(angle, Image.Resampling.BILINEAR, fillcolor=tuple(int(v) for v in np.asarray(image)[0, 0]))
    return np.asarray(image.resize((WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN), Image.Resampling.BOX))


def draw_heads(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures [count, …], states and shapes, in equal parts of the states."""
    random = np.random.default_rng(seed)
    drawn = [(index % len(STATES), *draw_head(STATES[index % len(STATES)], random)) for index in range(count)]
    return (
        np.stack([pixels for _, pixels, _ in drawn]),
        np.array([state for state, _, _ in drawn]),
        np.array([shape for _, _, shape in drawn]),
    )
