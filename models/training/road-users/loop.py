"""The training loop of our networks: rates, the average that ships, and checkpoints from which the same command goes on."""
import argparse
import copy
import json
import math
import time

import torch

from objective import compute_loss

# Layers that keep their weights.
FROZEN = ('backbone.stem', 'backbone.dark2')
RATE, FRESH_RATE = 5e-4, 2e-3
WARM_UP_STEPS = 20
# The last part of the steps goes down to no rate at all.
COOL_DOWN = 0.45
EMA_DECAY = 0.995
# From 16 pictures on PyTorch (1.13, one thread) runs 1 × 1 convolutions in oneDNN; below, in the BLAS of the machine, which without OpenBLAS costs
# seven times as much a picture.
BATCH = 16
CHECKPOINT_EVERY = 20


def build_options(description, steps):
    """The options that every training has."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument('--data', required=True, help='folder of the sets')
    parser.add_argument('--media', required=True, help='folder of the clips')
    parser.add_argument('--start', required=True, help='yolox-nano-dynamic.onnx')
    parser.add_argument('--work', required=True, help='folder for the index, checkpoints and the log')
    parser.add_argument('--out', required=True, help='ONNX file to write')
    parser.add_argument('--steps', type=int, default=steps)
    parser.add_argument('--batch', type=int, default=BATCH)
    parser.add_argument('--side', type=int, default=320, help='crops, px')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--seed', type=int, default=1)
    return parser


def load_state(network, work, **flags):
    """The state of a run of `network` in the folder `work`, as its last checkpoint left it. `flags`: what the run keeps besides."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(FROZEN))
    fresh = [p for n, p in network.named_parameters() if p.requires_grad and 'class_out' in n]
    rest = [p for n, p in network.named_parameters() if p.requires_grad and 'class_out' not in n]
    optimizer = torch.optim.Adam([{'params': rest, 'rate': RATE}, {'params': fresh, 'rate': FRESH_RATE}], lr=RATE)
    state = {'step': 0, 'network': network, 'average': copy.deepcopy(network), 'optimizer': optimizer, 'flags': flags}
    checkpoint = work / 'checkpoint.pt'
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        for name in ('network', 'average', 'optimizer'):
            state[name].load_state_dict(saved[name])
        state.update(step=saved['step'], flags=saved['flags'])
        print(f'goes on at step {state["step"]}', flush=True)
    return state


def save_state(state, work):
    names = ('network', 'average', 'optimizer')
    saved = {name: state[name].state_dict() for name in names} | {name: state[name] for name in ('step', 'flags')}
    torch.save(saved, work / 'checkpoint.pt.new')
    (work / 'checkpoint.pt.new').replace(work / 'checkpoint.pt')


def train(state, draw_batch, options, work, until):
    """
    Steps up to `until` of `options.steps`. `draw_batch(step)` gives images `[B, 3, side, side]`, samples and teachers (objective.py); what it gives
    depends on the seed and the step alone, so a resumed run sees the same.
    """
    while state['step'] < until:
        started = time.process_time()
        images, samples, teachers = draw_batch(state['step'])
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


def balance(groups):
    """Share of each frame: between "each frame alike" and "each scene alike"."""
    weights = [1 / math.sqrt(groups.count(group)) for group in groups]
    return [weight / sum(weights) for weight in weights]


def write_whole(path, data):
    partial = path.with_suffix('.new')
    partial.write_bytes(data)
    partial.replace(path)
