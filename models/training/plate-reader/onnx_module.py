"""A torch module that runs an ONNX graph with its float initializers as parameters, and writes them back: fine-tuning without the
original code. Knows the operators of the CCT readers of fast-plate-ocr and no others."""
import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

_TYPES = {1: torch.float32, 6: torch.int32, 7: torch.int64}


def _attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


class OnnxModule(torch.nn.Module):
    def __init__(self, path):
        super().__init__()
        self.model = onnx.load(path)
        self.steps = [(n.op_type, list(n.input), list(n.output), _attributes(n)) for n in self.model.graph.node]
        self.weights = torch.nn.ParameterDict()
        self.constants, self.keys = {}, {}
        for tensor in self.model.graph.initializer:
            value = torch.from_numpy(numpy_helper.to_array(tensor).copy())
            fixed = not value.is_floating_point() or value.numel() == 1 and 'dy_t' not in tensor.name
            if fixed or tensor.name.startswith('const_fold_opt'):  # the blur kernels are constants of the design
                self.constants[tensor.name] = value
            else:
                self.keys[tensor.name] = key = f'w{len(self.keys)}'
                self.weights[key] = torch.nn.Parameter(value)

    def forward(self, pictures, wanted):
        """`pictures` uint8 NHWC; the values named in `wanted`."""
        values = {self.model.graph.input[0].name: pictures}

        def get(name):
            if name in values:
                return values[name]
            return self.weights[self.keys[name]] if name in self.keys else self.constants[name]

        missing = set(wanted)
        for op, inputs, outputs, attributes in self.steps:
            values[outputs[0]] = _run(op, [get(name) for name in inputs], attributes)
            missing.discard(outputs[0])
            if not missing:
                break
        return [values[name] for name in wanted]

    def save(self, path):
        for tensor in self.model.graph.initializer:
            if tensor.name in self.keys:
                value = self.weights[self.keys[tensor.name]].detach().numpy()
                tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), tensor.name))
        onnx.checker.check_model(self.model)
        onnx.save(self.model, path)


def _run(op, x, a):
    if op == 'Cast':
        return x[0].to(_TYPES[a['to']])
    if op == 'Mul':
        return x[0] * x[1]
    if op == 'Add':
        return x[0] + x[1]
    if op == 'MatMul':
        return x[0] @ x[1]
    if op == 'Sigmoid':
        return torch.sigmoid(x[0])
    if op == 'Tanh':
        return torch.tanh(x[0])
    if op == 'Softmax':
        return torch.softmax(x[0], a.get('axis', -1))
    if op == 'Transpose':
        return x[0].permute(a['perm'])
    if op == 'Reshape':
        return x[0].reshape([int(d) if d != 0 else x[0].shape[k] for k, d in enumerate(x[1].tolist())])
    if op == 'Conv':
        top, left, bottom, right = a.get('pads', [0, 0, 0, 0])
        return F.conv2d(F.pad(x[0], (left, right, top, bottom)), x[1], x[2] if len(x) > 2 else None, a['strides'], 0, a['dilations'], a['group'])
    if op == 'MaxPool':
        top, left, bottom, right = a.get('pads', [0, 0, 0, 0])
        return F.max_pool2d(F.pad(x[0], (left, right, top, bottom), value=float('-inf')), a['kernel_shape'], a['strides'])
    if op == 'Shape':
        return torch.tensor(x[0].shape)
    if op == 'Gather':
        return x[0][x[1].long()]
    if op == 'Slice':
        return x[0][int(x[1][0]):int(x[2][0])]
    if op == 'Concat':
        return torch.cat([v.to(x[0].dtype) for v in x], a['axis'])
    if op == 'Expand':
        return x[0].expand([int(d) for d in x[1].tolist()])
    if op == 'Tile':
        return x[0].repeat([int(d) for d in x[1].tolist()])
    if op == 'Squeeze':
        return x[0].squeeze(int(x[1][0]))
    raise ValueError(f'unknown operator {op}')
