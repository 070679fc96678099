"""Pieces of streets that are no plate: on them a reader is to see no character.

`NothingCrops(data).draw(rng, count)` returns RGB pictures of 128×64. Half are what finders of plates took for one and somebody judged to be none
(models/annotations/plate-candidates.json), half lie anywhere away from every plate that is known.
"""
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from synthetic_plate import NETWORK_SIZE, store_as_jpeg

JUDGED = Path(__file__).parents[2] / 'annotations' / 'plate-candidates.json'
# Height and width over height of a piece that lies anywhere, px of the picture.
HEIGHT, ASPECT = (6, 90), (0.7, 5)
# A piece moves by so much of its sides, and grows or shrinks.
SHIFT, GROWTH = 0.12, 0.2
ATTEMPTS = 20


class NothingCrops:
    def __init__(self, data):
        """`data`: folder of the sets that the judged list names (`SET/FILE`); each has `images/`."""
        self.pictures = [(self._find(Path(data), entry['file']), entry) for entry in json.loads(JUDGED.read_text())['pictures']]
        self.judged = [(index, box) for index, (_, entry) in enumerate(self.pictures) for box in entry.get('none', [])]
        self._read = {}

    @staticmethod
    def _find(data, name):
        folder, file = name.split('/')
        path = data / folder / 'images' / file
        if not path.exists():
            raise FileNotFoundError(f'no picture {path}')
        return path

    def draw(self, rng, count):
        return [self._draw_judged(rng) if rng.random() < 0.5 else self._draw_anywhere(rng) for _ in range(count)]

    def _draw_judged(self, rng):
        index, (x1, y1, x2, y2) = self.judged[rng.integers(len(self.judged))]
        width, height = x2 - x1, y2 - y1
        dx, dy = rng.uniform(-SHIFT, SHIFT, 2) * (width, height)
        gx, gy = rng.uniform(-GROWTH / 2, GROWTH, 2) * (width, height) / 2
        return self._cut(rng, index, (x1 + dx - gx, y1 + dy - gy, x2 + dx + gx, y2 + dy + gy))

    def _draw_anywhere(self, rng):
        for _ in range(ATTEMPTS):
            index = int(rng.integers(len(self.pictures)))
            picture, known = self._open(index)
            height = np.exp(rng.uniform(*np.log(HEIGHT)))
            width = height * np.exp(rng.uniform(*np.log(ASPECT)))
            x, y = rng.uniform(0, 1, 2) * np.maximum(0, (picture.width - width, picture.height - height))
            box = (x, y, x + width, y + height)
            if not any(_touch(box, plate) for plate in known):
                break
        # a piece that touches a plate in a picture full of them is rarely the plate itself
        return self._cut(rng, index, box)

    def _open(self, index):
        """The picture, and where plates are known in it: labelled ones too, where the set labels them."""
        if index not in self._read:
            path, entry = self.pictures[index]
            picture = Image.open(path).convert('RGB')
            known = [*entry.get('seen', []), *entry.get('doubtful', [])]
            labels = path.parents[1] / 'labels' / f'{path.stem}.txt'
            if path.parents[1].name == 'vn-plate-boxes' and labels.exists():
                for line in labels.read_text().split('\n'):
                    if line.strip():
                        _, cx, cy, w, h = map(float, line.split()[:5])
                        sides = np.array((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2))
                        known.append(sides * (picture.width, picture.height, picture.width, picture.height))
            self._read[index] = picture, known
        return self._read[index]

    def _cut(self, rng, index, box):
        picture, _ = self._open(index)
        x1, y1, x2, y2 = (int(round(side)) for side in box)
        x1, y1 = max(0, min(x1, picture.width - 2)), max(0, min(y1, picture.height - 2))
        piece = picture.crop((x1, y1, max(x1 + 2, min(x2, picture.width)), max(y1 + 2, min(y2, picture.height))))
        if rng.random() < 0.5:
            piece = piece.transpose(Image.FLIP_LEFT_RIGHT)
        if rng.random() < 0.25:
            piece = piece.transpose(Image.FLIP_TOP_BOTTOM)
        if rng.random() < 0.3:
            piece = piece.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 1)))
        pixels = (np.asarray(piece, np.float32) - 128) * rng.uniform(0.6, 1.5) + 128 + rng.normal(0, 20)
        piece = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        if rng.random() < 0.3:
            piece = store_as_jpeg(rng, piece)
        return piece.resize(NETWORK_SIZE, Image.BILINEAR)


def _touch(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
