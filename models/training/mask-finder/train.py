"""Trains the finder of faces with and without a mask: `python3 train.py --data DATASETS --media CLIPS --start yolox-nano-dynamic.onnx --work DIR --out FILE.onnx`.

Loop, loss, crops and network are those of ../road-users; here there are two classes. `--without K` leaves a fifth of the pictures out, for the figures.
A run that was stopped goes on where it was when the same command is given again. See README.md.
"""
import json
import os
import sys
import xml.etree.ElementTree
from pathlib import Path

# Threads of OpenBLAS spin while they wait. Before numpy is loaded.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
sys.path.insert(0, str(Path(__file__).parents[1] / 'road-users'))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402

from detection import PERSON  # noqa: E402
from judged import read_judged  # noqa: E402
from loop import build_options, load_state, train  # noqa: E402
from network import export_onnx, load_onnx, transfer_classes  # noqa: E402
from objective import Sample  # noqa: E402
from sampling import sample_crop  # noqa: E402
from sets import Picture, read_labels  # noqa: E402

# Class of each name of a label; a mask that is worn wrongly is a face of neither, and without loss.
CLASSES = {'with_mask': 0, 'without_mask': 1}
# Faces on the street that were judged by eye (models/annotations), in a set whose labels are heads.
STREET = 'street-faces.json'
VERDICTS = {'with': 0, 'without': 1}
HEADS = {0: 0, 1: 0}
# Network pixels per picture pixel: large faces become small ones, of which there are few.
SCALE, STRETCH = (0.3, 3.0), (-0.2, 0.2)
# The fold of a picture is its number in the order of names within its set, modulo this: those of models/src/evaluation/mask-learning.ts.
FOLDS = 5
SIDES = ('xmin', 'ymin', 'xmax', 'ymax')


def main():
    parser = build_options(__doc__, 1000)
    parser.add_argument('--without', type=int, help='fold of pictures that is left out, 0 to 4')
    parser.add_argument('--street', action='store_true', help='also faces on the street that were judged by eye')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    sets = [load_pictures(Path(options.data) / 'masks')]
    if options.street:
        sets.append(load_street(Path(options.data)))
    training = [picture for pictures in sets for number, picture in enumerate(pictures) if number % FOLDS != options.without]
    torch.manual_seed(options.seed)
    state = load_state(transfer_classes(load_onnx(options.start), (PERSON, PERSON)), work)
    train(state, make_batches(training, options), options, work, options.steps)
    export_onnx(state['average'], options.out, halved=True)
    print(json.dumps({'pictures': len(training), 'crops': state['step'] * options.batch}))


def load_pictures(folder):
    """The pictures of a Pascal VOC folder in the order of their names."""
    pictures = []
    for file in sorted((folder / 'images').iterdir()):
        with Image.open(file) as opened:
            size = opened.size
        boxes, ignored = [], []
        for item in xml.etree.ElementTree.parse(folder / 'annotations' / f'{file.stem}.xml').getroot().iter('object'):
            box = [float(item.find(f'bndbox/{side}').text) for side in SIDES]
            kind = CLASSES.get(item.find('name').text)
            ignored.append(box) if kind is None else boxes.append((kind, *box))
        pictures.append(Picture(
            'masks', str(file), size=size, boxes=np.array(boxes, np.float32).reshape(-1, 5), ignored=np.array(ignored, np.float32).reshape(-1, 4),
        ))
    return pictures


def load_street(root):
    """Pictures with faces that were judged by eye; labelled heads in which no face was seen for certain are without loss."""
    pictures = []
    for key, judged in sorted(read_judged(STREET).items()):
        file = root / key.replace('/', '/images/')
        with Image.open(file) as opened:
            size = opened.size
        boxes = np.array([(kind, *box) for verdict, kind in VERDICTS.items() for box in judged.get(verdict, [])], np.float32).reshape(-1, 5)
        heads = read_labels(file.parents[1] / 'labels' / f'{file.stem}.txt', HEADS, *size)[:, 1:]
        centres = (boxes[:, 1:3] + boxes[:, 3:]) / 2
        shows = ((centres >= heads[:, None, :2]) & (centres <= heads[:, None, 2:])).all(2).any(1)
        doubtful = np.array(judged.get('doubtful', []), np.float32).reshape(-1, 4)
        pictures.append(Picture(key.split('/')[0], str(file), size=size, boxes=boxes, ignored=np.concatenate((doubtful, heads[~shows]))))
    return pictures


def make_batches(training, options):
    # crowds take part more often, but not by the head
    weights = np.sqrt([1 + len(picture.boxes) for picture in training])
    weights /= weights.sum()

    def draw_batch(step):
        random = np.random.default_rng((options.seed, step))
        crops = [draw(training[random.choice(len(training), p=weights)], options.side, random) for _ in range(options.batch)]
        return torch.from_numpy(np.stack([image for image, _ in crops])), [sample for _, sample in crops], [None] * len(crops)

    return draw_batch


def draw(picture, side, random):
    image, _, boxes, ignored = sample_crop(picture, side, random, (SCALE, STRETCH), lambda _, boxes: boxes)
    return image, Sample(torch.from_numpy(boxes), torch.from_numpy(ignored), labelled=tuple(CLASSES.values()))


if __name__ == '__main__':
    main()
