"""Fine-tunes the CCT-xs-v2 plate reader on synthetic Vietnamese plates, with a head for the layout in place of that for the region, and on pieces of
streets that are no plate, where it is to see no character.

    python3 train.py --data DATASETS --start plate-ocr-cct-xs-v2.onnx --out plate-reader-vn.onnx --work DIR --steps 800

Seeded; interrupted runs go on from their last checkpoint in DIR. One thread.
"""
import argparse
import os
import time

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper

from nothing import NothingCrops
from onnx_module import OnnxModule
from synthetic_plate import FONT_FILES, HELD_OUT_FONTS, draw_samples, find_fonts

ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_'
SLOTS = 10
# Part of a batch that is no plate.
NOTHING_SHARE = 0.2
# Such a piece has no layout.
NO_LAYOUT = -100


def swap_region_head(start, path, seed):
    """The region head (66 classes) becomes a layout head (2), the output `region` becomes `layout`."""
    model = onnx.load(start)
    rng = np.random.default_rng(seed)
    for node in model.graph.node:
        if node.output[0] == 'region':
            node.output[0] = 'layout'
    for tensor in model.graph.initializer:
        if list(tensor.dims) == [96, 66]:
            tensor.CopyFrom(numpy_helper.from_array(rng.normal(0, 0.05, (96, 2)).astype(np.float32), tensor.name))
        elif list(tensor.dims) == [66]:
            tensor.CopyFrom(numpy_helper.from_array(np.zeros(2, np.float32), tensor.name))
    outputs = [o for o in model.graph.output if o.name != 'region']
    batch = model.graph.output[0].type.tensor_type.shape.dim[0].dim_param
    del model.graph.output[:]
    model.graph.output.extend(outputs + [helper.make_tensor_value_info('layout', onnx.TensorProto.FLOAT, [batch, 2])])
    onnx.save(model, path)


def freeze_stem(module):
    """The first two convolutions stay as they were learned on real pictures, and need no backward pass."""
    for _, inputs, _, _ in [step for step in module.steps if step[0] == 'Conv' and step[1][1] in module.keys][:2]:
        for name in inputs[1:]:
            module.weights[module.keys[name]].requires_grad_(False)


def logit_names(module):
    before = {outputs[0]: inputs[0] for op, inputs, outputs, _ in module.steps if op == 'Softmax'}
    return [before['plate'], before['layout']]


def encode(text):
    return [ALPHABET.index(c) for c in text.ljust(SLOTS, '_')]


def make_batch(rng, fonts, size, nothing=None):
    count = round(size * NOTHING_SHARE) if nothing else 0
    samples = [s for _ in range((size - count) // 2) for s in draw_samples(rng, fonts, 2)]
    if nothing:
        samples += [(piece, '', NO_LAYOUT) for piece in nothing.draw(rng, count)]
    pictures = torch.from_numpy(np.stack([np.asarray(picture) for picture, _, _ in samples]))
    return pictures, torch.tensor([encode(text) for _, text, _ in samples]), torch.tensor([layout for _, _, layout in samples])


def measure(module, names, batches):
    module.eval()
    right, lines_right, layout_right, count = 0, [0, 0], 0, [0, 0]
    with torch.no_grad():
        for pictures, texts, layouts in batches:
            plate, layout = module(pictures, names)
            exact = (plate.argmax(-1) == texts).all(1)
            for k in (0, 1):
                lines_right[k] += int(exact[layouts == k].sum())
                count[k] += int((layouts == k).sum())
            right += int(exact.sum())
            layout_right += int((layout.argmax(-1) == layouts).sum())
    module.train()
    total = sum(count)
    return f'exact {right / total:.3f} (one line {lines_right[0] / count[0]:.3f}, two {lines_right[1] / count[1]:.3f}) layout {layout_right / total:.3f}'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--start', required=True)
    parser.add_argument('--data', required=True, help='folder of the data sets whose streets are no plates')
    parser.add_argument('--out', required=True)
    parser.add_argument('--work', required=True)
    parser.add_argument('--steps', type=int, default=800)
    parser.add_argument('--batch', type=int, default=32)
    parser.add_argument('--rate', type=float, default=4e-4)
    parser.add_argument('--seed', type=int, default=20261122)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    os.makedirs(options.work, exist_ok=True)
    begun = os.path.join(options.work, 'start.onnx')
    swap_region_head(options.start, begun, options.seed)
    module = OnnxModule(begun)
    names = logit_names(module)
    freeze_stem(module)
    weights = [w for w in module.weights.values() if w.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=options.rate, weight_decay=1e-3, betas=(0.9, 0.99))
    step, checkpoint = 0, os.path.join(options.work, 'checkpoint.pt')
    if os.path.exists(checkpoint):
        state = torch.load(checkpoint)
        module.load_state_dict(state['weights'])
        optimizer.load_state_dict(state['optimizer'])
        step = state['step']
    fonts = find_fonts(FONT_FILES)
    nothing = NothingCrops(options.data)
    unseen = np.random.default_rng(options.seed + 1)
    held_out = [make_batch(unseen, find_fonts(HELD_OUT_FONTS), 50) for _ in range(4)]
    print(f'{len(weights)} tensors, {sum(w.numel() for w in weights)} weights, fonts {len(fonts)}', flush=True)
    print('before:', measure(module, names, held_out), flush=True)
    began, sums = time.time(), np.zeros(2)
    while step < options.steps:
        share = step / options.steps
        rate = options.rate * min(1, (step + 1) / 60, max(0.02, (1 - share) / 0.4))
        for group in optimizer.param_groups:
            group['lr'] = rate
        # seeded by step: a run that was interrupted sees what an uninterrupted one would
        pictures, texts, layouts = make_batch(np.random.default_rng([options.seed, step]), fonts, options.batch, nothing)
        plate, layout = module(pictures, names)
        text_loss = F.cross_entropy(plate.reshape(-1, len(ALPHABET)), texts.reshape(-1))
        layout_loss = F.cross_entropy(layout, layouts, ignore_index=NO_LAYOUT)
        optimizer.zero_grad()
        (text_loss + 0.1 * layout_loss).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        sums += (text_loss.item(), layout_loss.item())
        step += 1
        if step % 25 == 0:
            print(f'{step} {time.time() - began:.0f}s loss {sums[0] / 25:.4f} layout {sums[1] / 25:.4f} rate {rate:.1e}', flush=True)
            sums[:] = 0
        if step % 40 == 0 or step == options.steps:
            draft = checkpoint + '.new'
            torch.save({'weights': module.state_dict(), 'optimizer': optimizer.state_dict(), 'step': step}, draft)
            os.replace(draft, checkpoint)
            module.save(os.path.join(options.work, 'now.onnx'))
        if step % 1000 == 0 or step == options.steps:
            print(f'{step}:', measure(module, names, held_out), flush=True)
    module.save(options.out)


if __name__ == '__main__':
    main()
