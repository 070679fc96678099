"""What cameras, boxes and weather do to a lamp, for a whole batch at once; all numbers from the generator that is handed in."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.nn import functional

from lamp_data import HEIGHT, MARGIN, WIDTH

UPSIDE_DOWN = 0.05
"""Share of heads that are turned over: colour must be able to speak against place."""


def augment(
    pixels: torch.Tensor, states: torch.Tensor, shapes: torch.Tensor, random: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """[n, 3, HEIGHT + 2 MARGIN, WIDTH + 2 MARGIN] 0-255 → [n, 3, HEIGHT, WIDTH] 0-255, and the forms as they are seen then."""

    def uniform(low: float, high: float, *size: int) -> torch.Tensor:
        return low + (high - low) * torch.rand((pixels.shape[0], *size), generator=random)

    picture, mirror = warp(pixels / 255, uniform)
    picture = spoil_sharpness(picture, random)
    # exposure: an unlit head may be as dark as the night, a lit one is never invisible
    darkest = torch.where(states == 0, torch.tensor(math.log(0.12)), torch.tensor(math.log(0.4)))
    gain = torch.exp(darkest + (math.log(1.7) - darkest) * uniform(0, 1))
    picture = picture * gain[:, None, None, None] * uniform(0.87, 1.13, 3, 1, 1)
    picture = picture.clamp(1e-4, 1) ** uniform(0.65, 1.5, 1, 1, 1)
    grey = picture.mean(1, keepdim=True)
    picture = grey + (picture - grey) * uniform(0.5, 1.5, 1, 1, 1)
    haze = uniform(0, 0.45, 1, 1, 1) * (uniform(0, 1, 1, 1, 1) < 0.4)
    picture = picture * (1 - haze) + haze * uniform(0.3, 0.95, 1, 1, 1)
    noise = torch.randn(picture.shape, generator=random) * uniform(0, 0.05, 1, 1, 1)
    return ((picture + noise).clamp(0, 1) * 255).round(), mirror_shapes(shapes, mirror)


def warp(pixels: torch.Tensor, uniform: Callable[..., torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The box too large, too small, beside the lamp or askew; mirrored; seldom upside down."""
    n = pixels.shape[0]
    inner_x, inner_y = WIDTH / (WIDTH + 2 * MARGIN), HEIGHT / (HEIGHT + 2 * MARGIN)
    scale_x, scale_y = inner_x * uniform(0.82, 1.28), inner_y * uniform(0.86, 1.16)
    angle = uniform(-0.14, 0.14)
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    over = torch.where(uniform(0, 1) < UPSIDE_DOWN, -1.0, 1.0)
    ratio = HEIGHT / WIDTH
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = scale_x * mirror * torch.cos(angle)
    theta[:, 0, 1] = -scale_x * over * torch.sin(angle) * ratio
    theta[:, 0, 2] = uniform(-0.14, 0.14)
    theta[:, 1, 0] = scale_y * mirror * torch.sin(angle) / ratio
    theta[:, 1, 1] = scale_y * over * torch.cos(angle)
    theta[:, 1, 2] = uniform(-0.07, 0.07)
    grid = functional.affine_grid(theta, [n, 3, HEIGHT, WIDTH], align_corners=False)
    return functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False), mirror


def mirror_shapes(shapes: torch.Tensor, mirror: torch.Tensor) -> torch.Tensor:
    """A mirrored arrow points the other way: left (1) and right (3) change places."""
    swapped = torch.where(shapes == 1, 3, torch.where(shapes == 3, 1, shapes))
    return torch.where(mirror < 0, swapped, shapes)


def spoil_sharpness(picture: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """A lamp that is few pixels large, out of focus, or whose colours are coarser than its light (JPEG, H.264)."""
    parts = []
    for part in picture.split(16):
        if torch.rand((), generator=random) < 0.55:
            rows = int(torch.randint(9, HEIGHT, (), generator=random))
            columns = max(4, round(rows * WIDTH / HEIGHT))
            small = functional.interpolate(part, (rows, columns), mode="area")
            part = functional.interpolate(small, (HEIGHT, WIDTH), mode="bilinear", align_corners=False)
        if torch.rand((), generator=random) < 0.5:
            light = part.mean(1, keepdim=True)
            coarse = int(torch.randint(2, 5, (), generator=random))
            colour = functional.avg_pool2d(part - light, coarse, ceil_mode=True, count_include_pad=False)
            part = light + functional.interpolate(colour, (HEIGHT, WIDTH), mode="bilinear", align_corners=False)
        parts.append(part)
    return torch.cat(parts)
