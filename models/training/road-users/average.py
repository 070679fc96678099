"""Averages the weights of several trainings of the road users: `python3 average.py --start yolox-nano-dynamic.onnx --out FILE.onnx NETWORK...`.

Each NETWORK is the work folder of a training (its last checkpoint) or a file that `train.py` or this command wrote. They have to share their start:
then the mean of their weights is a network as good as the best of them or better, and no slower (model soups, Wortsman et al., arXiv 2203.05482).
"""
import argparse
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from detection import BICYCLE, COCO, MOTORBIKE
from network import SideNetwork, export_onnx, load_onnx, transfer_classes

# Where the trained network's weights lie in a file of both.
TRAINED = 'trained.'


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--start', required=True, help='yolox-nano-dynamic.onnx')
    parser.add_argument('--out', required=True, help='ONNX file to write')
    parser.add_argument('networks', nargs='+', help='work folders or ONNX files')
    options = parser.parse_args()
    original = transfer_classes(load_onnx(options.start), COCO)
    states = [read_weights(Path(path), original.state_dict()) for path in options.networks]
    mean = transfer_classes(load_onnx(options.start), COCO)
    mean.load_state_dict({key: sum(state[key] for state in states) / len(states) for key in states[0]})
    export_onnx(SideNetwork(original, mean, (BICYCLE, MOTORBIKE)), options.out)


def read_weights(path, frozen):
    """Weights by name. `frozen`: those of the start, for the layers that all share."""
    if path.is_dir():
        return torch.load(path / 'checkpoint.pt')['average']
    stored = {item.name: numpy_helper.to_array(item).copy() for item in onnx.load(path).graph.initializer}
    trained = {key[len(TRAINED):]: torch.from_numpy(value) for key, value in stored.items() if key.startswith(TRAINED)}
    if not trained:
        raise ValueError(f'{path}: it holds no trained network')
    return frozen | trained


if __name__ == '__main__':
    main()
