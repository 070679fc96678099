"""Trains the road-user detector: `python3 train.py --data DATASETS --start yolox-nano-dynamic.onnx --work DIR --out FILE.onnx`.

Prepares the data, trains, exports and prints the table before and after. A run that was stopped goes on where it was when
the same command is given again. See README.md.
"""
import argparse
import copy
import json
import math
import os
import pickle
import time
from pathlib import Path

# Threads of OpenBLAS spin while they wait: beside other work a step takes six times as long. Before numpy is loaded.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')

import numpy as np
import torch

from detection import BUS, CAR, COCO, PLATE, TRUCK
from drawn_plates import draw_stock, put_plates
from network import blend, export_onnx, load_onnx, transfer_classes
from objective import compute_loss
from pseudo_labels import add_pseudo_labels
from sampling import sample_crop
from score import format_table, measure_sets
from sets import ORDINARY, load_sets, unpack_clips
from teacher import Teacher

# Share of the crops by set.
SHARES = {
    'vn-intersection': 0.4, 'vn-plate-boxes': 0.14, 'cctv-bikes': 0.09, 'lights-indonesia': 0.07, 'lights-korea': 0.07,
    'helmet-indian-street': 0.07, 'car-detection': 0.05, 'one-by-one-person-detection': 0.05, 'masks': 0.06,
}
# Scale of the crops by set, network pixels per picture pixel.
SCALES = {
    'lights-indonesia': (0.3, 0.9), 'cctv-bikes': (0.4, 1.1), 'helmet-indian-street': (0.6, 1.6), 'car-detection': (0.4, 1.2),
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
FROZEN = ('backbone.stem', 'backbone.dark2')
RATE, FRESH_RATE = 5e-4, 2e-3
WARM_UP_STEPS = 20
# The last part of the steps goes down to no rate at all.
COOL_DOWN = 0.45
EMA_DECAY = 0.995
CHECKPOINT_EVERY = 20
# So far from the original to what was trained lies what is shipped: most of what was learned, and less forgotten of other streets.
BLEND = 0.8


def main():
    options = read_options()
    torch.set_num_threads(options.threads)
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    pictures = prepare(options, work)
    state = load_state(options, work)
    training = [picture for picture in pictures if picture.split == 'train']
    state['teacher'] = transfer_classes(load_onnx(options.start), COCO)
    state['plates'] = draw_stock(options.seed)
    if state['step'] < options.relabel_at:
        train(state, training, options, work, options.relabel_at)
    if not state['relabelled'] and options.relabel_at > 0:
        relabel(state, training, options, work)
    else:
        training = load_relabelled(work, training)
    train(state, training, options, work, options.steps)
    export_onnx(blend(state['teacher'], state['average'], BLEND, (PLATE,)), options.out)
    compare(options, pictures, work)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--data', required=True, help='folder of the sets')
    parser.add_argument('--media', required=True, help='folder of the clips')
    parser.add_argument('--start', required=True, help='yolox-nano-dynamic.onnx')
    parser.add_argument('--work', required=True, help='folder for the index, checkpoints and the log')
    parser.add_argument('--out', required=True, help='ONNX file to write')
    parser.add_argument('--steps', type=int, default=1500)
    parser.add_argument('--relabel-at', type=int, default=500, help='step at which vehicles of vn-plate-boxes are labelled; 0: never')
    parser.add_argument('--batch', type=int, default=8)
    parser.add_argument('--side', type=int, default=320, help='crops, px')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--seed', type=int, default=1)
    return parser.parse_args()


def prepare(options, work):
    """Truth, groups, splits and the original network's labels; kept in the work folder."""
    index = work / 'index.pickle'
    if not index.exists():
        unpack_clips(options.media, work / 'clips')
        pictures, closest = load_sets(options.data, work / 'clips')
        print('closest pictures of training and test, bits of 256:', closest, flush=True)
        known = [p for p in pictures if p.split == 'train' and not (options.relabel_at and p.set == 'vn-plate-boxes')]
        add_pseudo_labels(known, options.start)
        write_whole(index, pickle.dumps(pictures))
    return pickle.loads(index.read_bytes())


def load_state(options, work):
    torch.manual_seed(options.seed)
    network = transfer_classes(load_onnx(options.start), COCO)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(FROZEN))
    fresh = [p for n, p in network.named_parameters() if p.requires_grad and 'class_out' in n]
    rest = [p for n, p in network.named_parameters() if p.requires_grad and 'class_out' not in n]
    optimizer = torch.optim.Adam([{'params': rest, 'rate': RATE}, {'params': fresh, 'rate': FRESH_RATE}], lr=RATE)
    state = {'step': 0, 'network': network, 'average': copy.deepcopy(network), 'optimizer': optimizer, 'relabelled': False}
    checkpoint = work / 'checkpoint.pt'
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        for name in ('network', 'average', 'optimizer'):
            state[name].load_state_dict(saved[name])
        state.update(step=saved['step'], relabelled=saved['relabelled'])
        print(f'goes on at step {state["step"]}', flush=True)
    return state


def save_state(state, work):
    names = ('network', 'average', 'optimizer')
    saved = {name: state[name].state_dict() for name in names} | {k: state[k] for k in ('step', 'relabelled')}
    torch.save(saved, work / 'checkpoint.pt.new')
    (work / 'checkpoint.pt.new').replace(work / 'checkpoint.pt')


def train(state, training, options, work, until):
    """Steps up to `until`. What a step sees depends on the seed and its number alone, so a resumed run sees the same."""
    by_set = {name: [picture for picture in training if picture.set == name] for name in SHARES}
    # scenes of one set take part alike, however many frames they have
    weights = {name: balance([picture.group for picture in list_]) for name, list_ in by_set.items()}
    while state['step'] < until:
        started = time.process_time()
        random = np.random.default_rng((options.seed, state['step']))
        crops = [draw(by_set, weights, state['plates'], options.side, random) for _ in range(options.batch)]
        images = torch.from_numpy(np.stack([crop[0] for crop in crops]))
        samples = [(torch.from_numpy(b), torch.from_numpy(i), labelled, ordinary) for _, _, b, i, labelled, ordinary in crops]
        teachers = ask_teacher(state['teacher'], np.stack([crop[1] for crop in crops]), options.side)
        share = compute_rate_share(state['step'], options.steps)
        for group in state['optimizer'].param_groups:
            group['lr'] = group['rate'] * share
        state['network'].train()
        loss, parts = compute_loss(state['network'].forward_raw(images), samples, options.side, teachers)
        state['optimizer'].zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(state['network'].parameters(), 20.0)
        state['optimizer'].step()
        state['step'] += 1
        follow(state)
        line = {'step': state['step'], 'loss': float(loss), **parts, 'cpuSeconds': time.process_time() - started}
        with (work / 'log.jsonl').open('a') as log:
            log.write(json.dumps(line) + '\n')
        if state['step'] % CHECKPOINT_EVERY == 0 or state['step'] == until:
            save_state(state, work)


def balance(groups):
    sizes = {group: groups.count(group) for group in set(groups)}
    # between "each frame alike" and "each scene alike"
    weight = np.array([1 / math.sqrt(sizes[group]) for group in groups])
    return weight / weight.sum()


def draw(by_set, weights, plates, side, random):
    name = random.choice(list(SHARES), p=np.array(list(SHARES.values())) / sum(SHARES.values()))
    picture = by_set[name][random.choice(len(by_set[name]), p=weights[name])]
    scale, pick = SCALES.get(name, SCALE), random.random()
    if name in CLOSE_SHARE:
        scale = CLOSE_SCALE if pick < CLOSE_SHARE[name] else WIDE_SCALE if pick > 1 - WIDE_SHARE else scale
    share = DRAWN_SHARE.get(name, DEFAULT_DRAWN_SHARE)
    stretch = STRETCH.get(name, DEFAULT_STRETCH)
    crop = sample_crop(picture, side, random, (scale, stretch), lambda window, boxes: put_plates(window, boxes, plates, random, share))
    return (*crop, picture.labelled, name in ORDINARY)


@torch.no_grad()
def ask_teacher(network, images, side):
    return [Teacher(logits, side) for logits in network.forward_raw(torch.from_numpy(images))]


def compute_rate_share(step, steps):
    """Warm up, stay, then down to nothing along a cosine."""
    cool_from = steps * (1 - COOL_DOWN)
    if step < cool_from:
        return min(1.0, (step + 1) / WARM_UP_STEPS)
    return 0.5 * (1 + math.cos(math.pi * (step - cool_from) / (steps - cool_from)))


@torch.no_grad()
def follow(state):
    """The exponential moving average, faster at the beginning."""
    decay = min(EMA_DECAY, (1 + state['step']) / (10 + state['step']))
    average = state['average'].state_dict()
    for name, value in state['network'].state_dict().items():
        average[name].mul_(decay).add_(value, alpha=1 - decay)


def relabel(state, training, options, work):
    """
    Labels vn-plate-boxes. The half-trained network knows the junction's motorbikes, riders and lamps better than the original; cars, buses
    and trucks it has seen few of, and the original tells them apart better.
    """
    model = work / 'half.onnx'
    export_onnx(state['average'], str(model))
    scenes = [picture for picture in training if picture.set == 'vn-plate-boxes']
    vehicles = (CAR, BUS, TRUCK)
    add_pseudo_labels(scenes, str(model), [kind for kind in range(len(COCO)) if kind not in vehicles])
    add_pseudo_labels(scenes, options.start, vehicles, keep=True)
    write_whole(work / 'relabelled.pickle', pickle.dumps(training))
    state['relabelled'] = True
    save_state(state, work)


def load_relabelled(work, training):
    file = work / 'relabelled.pickle'
    return pickle.loads(file.read_bytes()) if file.exists() else training


def compare(options, pictures, work):
    before = measure_sets(options.start, pictures)
    after = measure_sets(options.out, pictures)
    write_whole(work / 'table.json', json.dumps({'before': before, 'after': after}, indent=2).encode())
    print(format_table(before, after), flush=True)


def write_whole(path, data):
    partial = path.with_suffix('.new')
    partial.write_bytes(data)
    partial.replace(path)


if __name__ == '__main__':
    main()
