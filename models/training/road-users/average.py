"""Averages the weights of several trainings: `python3 average.py --out FILE.onnx NETWORK.onnx...`.

The files are those that `train.py` of one folder wrote (with 16 bits or 32), or this command. The trainings have to share their start: then the mean of
their weights is a network as good as the best of them or better, and no slower (model soups, Wortsman et al., arXiv 2203.05482).
"""
import argparse

import numpy as np
import onnx
from onnx import numpy_helper


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', required=True, help='ONNX file to write')
    parser.add_argument('networks', nargs='+', help='ONNX files')
    options = parser.parse_args()
    models = [onnx.load(path) for path in options.networks]
    weights = [{item.name: item for item in model.graph.initializer} for model in models]
    for path, others in zip(options.networks, weights):
        if others.keys() != weights[0].keys():
            raise ValueError(f'{path}: its weights have other names than those of {options.networks[0]}')
    for name, item in weights[0].items():
        values = [numpy_helper.to_array(each[name]) for each in weights]
        if np.issubdtype(values[0].dtype, np.floating):
            mean = np.mean([value.astype(np.float64) for value in values], axis=0)
            item.CopyFrom(numpy_helper.from_array(mean.astype(values[0].dtype), name))
    onnx.checker.check_model(models[0])
    onnx.save(models[0], options.out)


if __name__ == '__main__':
    main()
