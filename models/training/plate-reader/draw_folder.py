"""Draws plates with fonts that the training does not use, as a folder for `ngatu eval plates`: images/ and labels.csv.

    python3 draw_folder.py --out DIR --count 400 --seed 1
"""
import argparse
import os

import numpy as np

from synthetic_plate import HELD_OUT_FONTS, draw_samples, find_fonts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--out', required=True)
    parser.add_argument('--count', type=int, default=400)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    os.makedirs(os.path.join(options.out, 'images'), exist_ok=True)
    rng = np.random.default_rng([options.seed, 77])
    with open(os.path.join(options.out, 'labels.csv'), 'w', encoding='utf8') as labels:
        labels.write('file,text,layout\n')
        for index in range(options.count):
            picture, text, layout = draw_samples(rng, find_fonts(HELD_OUT_FONTS), 1, None)[0]
            picture.save(os.path.join(options.out, 'images', f'{index:05d}.png'))
            labels.write(f"{index:05d}.png,{text},{'two-line' if layout else 'one-line'}\n")


if __name__ == '__main__':
    main()
