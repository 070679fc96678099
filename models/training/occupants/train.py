"""Trains the counter of who rides on a motorbike: `python3 train.py --data DATASETS --start yolox-nano-dynamic.onnx --out FILE.onnx [--report FILE.json]`.

`--without K` leaves a fifth of the pictures out. The same seed gives the same weights on one machine. See README.md.
"""
import argparse
import json
import os
from collections import Counter
from pathlib import Path

os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from counter import CLASSES, STEPS, OccupantCounter  # noqa: E402
from rides import COLUMNS, FOLDS, ROWS, read_rides, show, show_otherwise  # noqa: E402

ANNOTATIONS = Path(__file__).parents[2] / 'annotations' / 'riders-counted.json'
BATCH = 32
# A set, and a count within its set, takes part by this power of how many there are: no set may stand for a count.
BALANCE = 0.5
RATE, FRESH_RATE = 3e-4, 1.5e-3
FROZEN = ('stem', 'dark2')
STARTED = ('dark3', 'dark4')
EMA_DECAY = 0.99
SMOOTHING = 0.03


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--data', required=True, help='folder of the sets')
    parser.add_argument('--start', required=True, help='yolox-nano-dynamic.onnx')
    parser.add_argument('--out', required=True, help='ONNX file to write')
    parser.add_argument('--annotations', default=str(ANNOTATIONS))
    parser.add_argument('--report', help='JSON file: what was said of each ride that was left out')
    parser.add_argument('--without', type=int, help=f'fold of pictures that is left out, 0 to {FOLDS - 1}')
    parser.add_argument('--steps', type=int, default=1600)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    # every training begins at the same point, so that the weights of several have a mean
    torch.manual_seed(0)
    rides = read_rides(options.data, options.annotations)
    pictures = sorted({ride.picture for ride in rides})
    fold_of = {picture: number % FOLDS for number, picture in enumerate(pictures)}
    learned = [ride for ride in rides if fold_of[ride.picture] != options.without]
    network = OccupantCounter(options.start)
    torch.manual_seed(options.seed)
    train(network, learned, options)
    export(network, options.out)
    if options.report is not None:
        judged = [ride for ride in rides if fold_of[ride.picture] == options.without] or rides
        Path(options.report).write_text(json.dumps(judge(network, judged)))
    print(json.dumps({'rides': len(learned), 'pictures': len({ride.picture for ride in learned})}))


def train(network, rides, options):
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(FROZEN))
    started = [p for n, p in network.named_parameters() if n.startswith(STARTED)]
    fresh = [p for n, p in network.named_parameters() if not n.startswith((*FROZEN, *STARTED))]
    optimizer = torch.optim.AdamW([{'params': started, 'rate': RATE}, {'params': fresh, 'rate': FRESH_RATE}], lr=RATE, weight_decay=0.02)
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    weights = weigh(rides)
    for step in range(options.steps):
        random = np.random.default_rng((options.seed, step))
        drawn = [rides[number] for number in random.choice(len(rides), BATCH, p=weights)]
        images = torch.from_numpy(np.stack([show_otherwise(ride.crop, random) for ride in drawn]))
        truth = torch.tensor([ride.occupants for ride in drawn], dtype=torch.float32)
        share = min(1, (step + 1) / 40) * 0.5 * (1 + np.cos(np.pi * step / options.steps))
        for group in optimizer.param_groups:
            group['lr'] = group['rate'] * share
        network.train()
        counts = network.count(images)
        more = (truth[:, None] > torch.arange(STEPS)).float() * (1 - 2 * SMOOTHING) + SMOOTHING
        loss = F.binary_cross_entropy_with_logits(network.compare(counts), more) + 0.1 * F.smooth_l1_loss(counts, truth)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        with torch.no_grad():
            decay = min(EMA_DECAY, (1 + step) / (10 + step))
            for name, value in network.state_dict().items():
                average[name].mul_(decay).add_(value, alpha=1 - decay)
        if step % 50 == 49:
            print(f'step {step + 1}: loss {float(loss):.3f}', flush=True)
    network.load_state_dict(average)
    return network.eval()


def weigh(rides):
    """How often each ride takes part."""
    folders = [ride.picture.split('/')[0] for ride in rides]
    kinds = [(folder, min(ride.occupants, CLASSES - 1)) for folder, ride in zip(folders, rides)]
    of_folder, of_kind = Counter(folders), Counter(kinds)
    within = {folder: sum(n**BALANCE for kind, n in of_kind.items() if kind[0] == folder) for folder in of_folder}
    weights = np.array([of_folder[kind[0]] ** BALANCE * of_kind[kind] ** (BALANCE - 1) / within[kind[0]] for kind in kinds])
    return weights / weights.sum()


@torch.no_grad()
def judge(network, rides):
    rows = []
    for ride in rides:
        patch = torch.from_numpy(show(ride.crop))[None]
        rows.append({
            'picture': ride.picture, 'height': ride.height, 'truth': ride.occupants,
            'count': float(network.count(patch)), 'shares': [round(float(share), 4) for share in network(patch)[0]],
        })
    return rows


def export(network, path):
    torch.onnx.export(network, torch.zeros(1, 3, ROWS, COLUMNS), path, input_names=['pixels'], output_names=['scores'], opset_version=13)
    print(f'{path}: {os.path.getsize(path)} bytes')


if __name__ == '__main__':
    main()
