"""Trains the road-user detector: `python3 train.py --data DATASETS --start yolox-nano-dynamic.onnx --work DIR --out FILE.onnx`.

Prepares the data, trains, exports and prints the table before and after. A run that was stopped goes on where it was when
the same command is given again. See README.md.
"""
import json
import os
import pickle
from pathlib import Path

# Threads of OpenBLAS spin while they wait: beside other work a step takes six times as long. Before numpy is loaded.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')

import numpy as np
import torch

from detection import BICYCLE, BUS, CAR, COCO, LIGHT, MOTORBIKE, TRUCK
from drawn_plates import draw_stock, put_plates
from judged import add_judged, drop_nothing, read_judged
from loop import balance, build_options, load_state, save_state, train, write_whole
from network import SideNetwork, export_onnx, load_onnx, transfer_classes
from objective import Sample
from pseudo_labels import add_pseudo_labels, ignore_unlabelled
from sampling import sample_crop
from score import format_table, measure_sets
from sets import ORDINARY, prepare_sets
from teacher import Teacher
from walkers import cut_walkers, put_walkers

# Share of the crops by set.
SHARES = {
    'vn-intersection': 0.36, 'vn-plate-boxes': 0.19, 'cctv-bikes': 0.1, 'lights-indonesia': 0.05, 'lights-korea': 0.05,
    'helmet-indian-street': 0.13, 'car-detection': 0.05, 'one-by-one-person-detection': 0.03, 'masks': 0.04,
}
# Motorbikes at the junction that nobody labelled, judged by eye.
JUDGED = 'motorbike-candidates.json'
# Scale of the crops by set, network pixels per picture pixel.
SCALES = {
    'lights-indonesia': (0.3, 0.9), 'cctv-bikes': (0.4, 1.1), 'helmet-indian-street': (0.3, 1.3), 'car-detection': (0.4, 1.2),
    # people on foot as small as bikes are at the junction: nobody walks there who is labelled, and whoever walks was taken for a bike
    'one-by-one-person-detection': (0.15, 1.0), 'masks': (0.25, 1.0),
}
# Log of how much wider than high a crop is drawn. The junction's pictures were squeezed to squares: some are drawn out again.
STRETCH = {'vn-intersection': (-0.1, 0.32)}
DEFAULT_STRETCH = (-0.15, 0.2)
SCALE = (0.75, 1.45)
# A part of the crops shows the junction from further away, or no large vehicle would be seen whole, and a part from close by, as a
# plate is looked for.
WIDE_SHARE, WIDE_SCALE = 0.3, (0.45, 0.8)
CLOSE_SHARE, CLOSE_SCALE = {'vn-intersection': 0.12, 'vn-plate-boxes': 0.35}, (1.4, 3.0)
# Part of the vehicles that get a drawn plate; those of scenes with labelled plates have their own.
DRAWN_SHARE = {'vn-plate-boxes': 0.15}
DEFAULT_DRAWN_SHARE = 0.3
# Part of the crops of a street through which cut-out people walk.
WALKED_SHARE = {'helmet-indian-street': 0.0, 'one-by-one-person-detection': 0.0, 'masks': 0.0}
DEFAULT_WALKED_SHARE = 0.4


def main():
    options = read_options()
    torch.set_num_threads(options.threads)
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    pictures = prepare(options, work)
    state = load_run(options, work)
    training = [picture for picture in pictures if picture.split == 'train']
    state['teacher'] = transfer_classes(load_onnx(options.start), COCO)
    state['stock'] = {'plates': draw_stock(options.seed), 'walkers': cut_walkers(training)}
    if state['step'] < options.relabel_at:
        train(state, make_batches(state, training, options), options, work, options.relabel_at)
    if not state['flags']['relabelled'] and options.relabel_at > 0:
        relabel(state, training, options, work)
    else:
        training = load_relabelled(work, training)
    train(state, make_batches(state, training, options), options, work, options.steps)
    export_onnx(SideNetwork(state['teacher'], state['average'], (BICYCLE, MOTORBIKE)), options.out)
    compare(options, pictures, work)


def read_options():
    parser = build_options(__doc__, 2200)
    parser.add_argument('--relabel-at', type=int, default=500, help='step at which vehicles of vn-plate-boxes are labelled; 0: never')
    return parser.parse_args()


def prepare(options, work):
    """Truth, groups, splits and the original network's labels; kept in the work folder."""
    index = work / 'index.pickle'
    if not index.exists():
        pictures = prepare_sets(options, work)
        add_judged([picture for picture in pictures if picture.split == 'train'], read_judged(JUDGED), MOTORBIKE)
        known = [p for p in pictures if p.split == 'train' and not (options.relabel_at and p.set == 'vn-plate-boxes')]
        add_pseudo_labels(known, options.start)
        write_whole(index, pickle.dumps(pictures))
    return pickle.loads(index.read_bytes())


def load_run(options, work):
    torch.manual_seed(options.seed)
    return load_state(transfer_classes(load_onnx(options.start), COCO), work, relabelled=False)


def make_batches(state, training, options):
    by_set = {name: [picture for picture in training if picture.set == name] for name in SHARES}
    # scenes of one set take part alike, however many frames they have
    weights = {name: balance([picture.group for picture in list_]) for name, list_ in by_set.items()}

    def draw_batch(step):
        random = np.random.default_rng((options.seed, step))
        crops = [draw(by_set, weights, state['stock'], options.side, random) for _ in range(options.batch)]
        images = torch.from_numpy(np.stack([crop[0] for crop in crops]))
        samples = [Sample(torch.from_numpy(b), torch.from_numpy(i), labelled, ordinary) for _, _, b, i, labelled, ordinary in crops]
        return images, samples, ask_teacher(state['teacher'], np.stack([crop[1] for crop in crops]), options.side)

    return draw_batch


def draw(by_set, weights, stock, side, random):
    name = random.choice(list(SHARES), p=np.array(list(SHARES.values())) / sum(SHARES.values()))
    picture = by_set[name][random.choice(len(by_set[name]), p=weights[name])]
    scale, pick = SCALES.get(name, SCALE), random.random()
    if name in CLOSE_SHARE:
        scale = CLOSE_SCALE if pick < CLOSE_SHARE[name] else WIDE_SCALE if pick > 1 - WIDE_SHARE else scale
    share = DRAWN_SHARE.get(name, DEFAULT_DRAWN_SHARE)
    stretch = STRETCH.get(name, DEFAULT_STRETCH)

    def change(window, boxes):
        boxes = put_plates(window, boxes, stock['plates'], random, share)
        return put_walkers(window, boxes, stock['walkers'], random, WALKED_SHARE.get(name, DEFAULT_WALKED_SHARE))

    crop = sample_crop(picture, side, random, (scale, stretch), change)
    return (*crop, picture.labelled, name in ORDINARY)


@torch.no_grad()
def ask_teacher(network, images, side):
    return [Teacher(logits, side) for logits in network.forward_raw(torch.from_numpy(images))]


def relabel(state, training, options, work):
    """
    Labels vn-plate-boxes. The half-trained network knows the junction's motorbikes, riders and lamps better than the original; cars, buses
    and trucks it has seen few of, and the original tells them apart better. What it is sure of at the junction and nobody labelled is left alone,
    but for motorbikes: those were judged by eye.
    """
    model = work / 'half.onnx'
    export_onnx(state['average'], str(model))
    scenes = [picture for picture in training if picture.set == 'vn-plate-boxes']
    vehicles = (CAR, BUS, TRUCK)
    add_pseudo_labels(scenes, str(model), [kind for kind in range(len(COCO)) if kind not in vehicles])
    add_pseudo_labels(scenes, options.start, vehicles, keep=True)
    drop_nothing(scenes, read_judged(JUDGED), MOTORBIKE)
    ignore_unlabelled([picture for picture in training if picture.set == 'vn-intersection'], str(model), (CAR, BUS, TRUCK, LIGHT))
    write_whole(work / 'relabelled.pickle', pickle.dumps(training))
    state['flags']['relabelled'] = True
    save_state(state, work)


def load_relabelled(work, training):
    file = work / 'relabelled.pickle'
    return pickle.loads(file.read_bytes()) if file.exists() else training


def compare(options, pictures, work):
    before = measure_sets(options.start, pictures)
    after = measure_sets(options.out, pictures)
    write_whole(work / 'table.json', json.dumps({'before': before, 'after': after}, indent=2).encode())
    print(format_table(before, after), flush=True)


if __name__ == '__main__':
    main()
