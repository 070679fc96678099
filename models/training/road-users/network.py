"""YOLOX-nano (Ge et al., arXiv 2107.08430), written again for inference weights whose batch norms are folded.

Input `[B, 3, H, W]` float32 BGR 0-255, H and W multiples of 32. Output `[B, N, 5 + C]`: cx, cy, w, h as the network tells
them (not decoded), objectness and class confidences 0-1, rows by stride 8, 16, 32. The graph and the order of the
convolutions are those of Megvii's YOLOX-nano, so the weights of its ONNX export can be taken over one by one.
"""
import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)


class Conv(nn.Module):
    """Convolution with bias (its batch norm is folded in) and SiLU."""

    def __init__(self, inputs, outputs, size=1, stride=1, groups=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, (size - 1) // 2, groups=groups)

    def forward(self, x):
        return F.silu(self.conv(x))


class SeparableConv(nn.Sequential):
    """Depthwise, then pointwise."""

    def __init__(self, inputs, outputs, size=3, stride=1):
        super().__init__(Conv(inputs, inputs, size, stride, groups=inputs), Conv(inputs, outputs))


class Bottleneck(nn.Module):
    def __init__(self, channels, shortcut):
        super().__init__()
        self.reduce = Conv(channels, channels)
        self.expand = SeparableConv(channels, channels)
        self.shortcut = shortcut

    def forward(self, x):
        y = self.expand(self.reduce(x))
        return x + y if self.shortcut else y


class CspLayer(nn.Module):
    """Cross-stage partial layer: one half goes through the bottlenecks."""

    def __init__(self, inputs, outputs, depth, shortcut=True):
        super().__init__()
        hidden = outputs // 2
        self.main = Conv(inputs, hidden)
        self.side = Conv(inputs, hidden)
        self.steps = nn.Sequential(*(Bottleneck(hidden, shortcut) for _ in range(depth)))
        self.join = Conv(2 * hidden, outputs)

    def forward(self, x):
        main, side = self.main(x), self.side(x)
        return self.join(torch.cat((self.steps(main), side), 1))


class SpatialPyramid(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.reduce = Conv(inputs, inputs // 2)
        self.join = Conv(inputs * 2, outputs)

    def forward(self, x):
        x = self.reduce(x)
        pools = [F.max_pool2d(x, size, 1, size // 2) for size in (5, 9, 13)]
        return self.join(torch.cat([x, *pools], 1))


class Backbone(nn.Module):
    """Strides 8, 16 and 32 with 64, 128 and 256 channels."""

    def __init__(self):
        super().__init__()
        self.stem = Conv(12, 16, 3)
        self.dark2 = nn.Sequential(SeparableConv(16, 32, stride=2), CspLayer(32, 32, 1))
        self.dark3 = nn.Sequential(SeparableConv(32, 64, stride=2), CspLayer(64, 64, 3))
        self.dark4 = nn.Sequential(SeparableConv(64, 128, stride=2), CspLayer(128, 128, 3))
        self.dark5 = nn.Sequential(
            SeparableConv(128, 256, stride=2), SpatialPyramid(256, 256), CspLayer(256, 256, 1, shortcut=False)
        )

    def forward_shared(self, images):
        """The first layers, which are not trained."""
        corners = [images[..., y::2, x::2] for x in (0, 1) for y in (0, 1)]
        return self.dark2(self.stem(torch.cat(corners, 1)))

    def forward(self, shared):
        x8 = self.dark3(shared)
        x16 = self.dark4(x8)
        return x8, x16, self.dark5(x16)


class Neck(nn.Module):
    """Path aggregation: down to stride 8 and up again."""

    def __init__(self):
        super().__init__()
        self.lateral = Conv(256, 128)
        self.down16 = CspLayer(256, 128, 1, shortcut=False)
        self.reduce = Conv(128, 64)
        self.down8 = CspLayer(128, 64, 1, shortcut=False)
        self.stride16 = SeparableConv(64, 64, stride=2)
        self.up16 = CspLayer(128, 128, 1, shortcut=False)
        self.stride32 = SeparableConv(128, 128, stride=2)
        self.up32 = CspLayer(256, 256, 1, shortcut=False)

    def forward(self, x8, x16, x32):
        top = self.lateral(x32)
        middle = self.reduce(self.down16(torch.cat((F.interpolate(top, scale_factor=2.0), x16), 1)))
        out8 = self.down8(torch.cat((F.interpolate(middle, scale_factor=2.0), x8), 1))
        out16 = self.up16(torch.cat((self.stride16(out8), middle), 1))
        out32 = self.up32(torch.cat((self.stride32(out16), top), 1))
        return out8, out16, out32


class Head(nn.Module):
    """One level: separate branches for the class and for the box with its objectness."""

    def __init__(self, inputs, classes):
        super().__init__()
        self.stem = Conv(inputs, 64)
        self.class_steps = nn.Sequential(SeparableConv(64, 64), SeparableConv(64, 64))
        self.class_out = nn.Conv2d(64, classes, 1)
        self.box_steps = nn.Sequential(SeparableConv(64, 64), SeparableConv(64, 64))
        self.box_out = nn.Conv2d(64, 4, 1)
        self.object_out = nn.Conv2d(64, 1, 1)

    def forward(self, x):
        x = self.stem(x)
        classes = self.class_out(self.class_steps(x))
        shape = self.box_steps(x)
        return torch.cat((self.box_out(shape), self.object_out(shape), classes), 1)


class YoloxNano(nn.Module):
    def __init__(self, classes=80):
        super().__init__()
        self.backbone = Backbone()
        self.neck = Neck()
        self.heads = nn.ModuleList(Head(inputs, classes) for inputs in (64, 128, 256))

    def forward_raw(self, images):
        """`[B, N, 5 + C]` before any sigmoid, as the loss wants it."""
        levels = self.neck(*self.backbone(self.backbone.forward_shared(images)))
        rows = [head(level).flatten(2) for head, level in zip(self.heads, levels)]
        return torch.cat(rows, 2).permute(0, 2, 1)

    def forward(self, images):
        return self.finish(self.backbone.forward_shared(images))

    def finish(self, shared):
        """Output from what the first layers give."""
        levels = self.neck(*self.backbone(shared))
        rows = []
        for head, level in zip(self.heads, levels):
            raw = head(level)
            rows.append(torch.cat((raw[:, :4], raw[:, 4:].sigmoid()), 1).flatten(2))
        return torch.cat(rows, 2).permute(0, 2, 1)


def make_grid(height, width, device=None):
    """Cell of every row: x, y in cells and the stride, each `[N]`."""
    xs, ys, steps = [], [], []
    for stride in STRIDES:
        y, x = torch.meshgrid(
            torch.arange(height // stride, device=device), torch.arange(width // stride, device=device), indexing='ij'
        )
        xs.append(x.reshape(-1))
        ys.append(y.reshape(-1))
        steps.append(torch.full((x.numel(),), stride, device=device))
    return torch.cat(xs).float(), torch.cat(ys).float(), torch.cat(steps).float()


def decode_boxes(rows, height, width):
    """Rows `[..., N, >= 4]` to boxes `[..., N, 4]`, xyxy in input pixels."""
    gx, gy, stride = make_grid(height, width, rows.device)
    cx = (rows[..., 0] + gx) * stride
    cy = (rows[..., 1] + gy) * stride
    half_width = rows[..., 2].clamp(max=10).exp() * stride / 2
    half_height = rows[..., 3].clamp(max=10).exp() * stride / 2
    return torch.stack((cx - half_width, cy - half_height, cx + half_width, cy + half_height), -1)


def _convolutions_in_order(network):
    """Convolutions in the order in which the graph runs them (that of the ONNX file)."""
    order = []
    hooks = [
        module.register_forward_hook(lambda module, *_: order.append(module))
        for module in network.modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.no_grad():
        network(torch.zeros(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    return order


def load_onnx(path, classes=80):
    """YOLOX-nano with the weights of an ONNX export. Raises ValueError where the graph is another."""
    graph = onnx.load(path).graph
    arrays = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    found = [(arrays[node.input[1]], arrays[node.input[2]]) for node in graph.node if node.op_type == 'Conv']
    network = YoloxNano(classes)
    own = _convolutions_in_order(network)
    # the original runs the class branch first, then box and objectness; so does Head, in another order of outputs
    if len(found) != len(own):
        raise ValueError(f'{path}: {len(own)} convolutions expected, {len(found)} found')
    with torch.no_grad():
        for number, (module, (weight, bias)) in enumerate(zip(own, found)):
            if tuple(module.weight.shape) != weight.shape:
                raise ValueError(f'{path}: convolution {number} is {weight.shape}, not {tuple(module.weight.shape)}')
            module.weight.copy_(torch.from_numpy(weight.copy()))
            module.bias.copy_(torch.from_numpy(bias.copy()))
    return network.eval()


def transfer_classes(original, sources, fresh_bias=-4.6):
    """A network of `len(sources)` classes: class k starts from class `sources[k]` of the original, or fresh where it is None.

    `fresh_bias` is the logit of a confidence of 0.01, the prior of the focal-loss paper (arXiv 1708.02002, section 3.3).
    """
    network = YoloxNano(len(sources))
    state = original.state_dict()
    for key, value in network.state_dict().items():
        if 'class_out' not in key:
            value.copy_(state[key])
            continue
        for index, source in enumerate(sources):
            if source is not None:
                value[index] = state[key][source]
            elif key.endswith('bias'):
                value[index] = fresh_bias
            else:
                value[index] = state[key].mean(0)
    return network.eval()


class SideNetwork(nn.Module):
    """
    The original network and a trained one that share their first layers: of each row what the surer of the two says. The original's two-wheelers are left
    out, because the trained one's have their riders in them. So what the original sees elsewhere is not forgotten (after side-tuning, Zhang et al., arXiv
    1912.13503).
    """

    def __init__(self, original, trained, different):
        super().__init__()
        self.original, self.trained = original, trained
        columns = torch.ones(original.heads[0].class_out.out_channels)
        columns[list(different)] = 0
        self.register_buffer('columns', columns)

    def forward(self, images):
        shared = self.original.backbone.forward_shared(images)
        known, learned = (network.finish(shared) for network in (self.original, self.trained))
        known = torch.cat((known[..., :5], known[..., 5:] * self.columns), -1)
        sure = [rows[..., 4:5] * rows[..., 5:].amax(-1, keepdim=True) for rows in (known, learned)]
        return torch.where(sure[1] > sure[0], learned, known)


def export_onnx(network, path, halved=False):
    """
    Writes the network with free height and width; opset 11, tensors `images` and `output` as in the original. `halved`: weights lie in the file with
    16 bits and are made 32 bits long where it is opened: half the bytes, the same speed.
    """
    network = network.eval()
    with torch.no_grad():
        columns_of_rows = network(torch.zeros(1, 3, 64, 96)).shape[2]
    torch.onnx.export(
        network,
        torch.zeros(1, 3, 64, 96),
        path,
        opset_version=11,
        input_names=['images'],
        output_names=['output'],
        dynamic_axes={'images': {2: 'height', 3: 'width'}, 'output': {1: 'anchors'}},
    )
    model = onnx.load(path)
    batch, _, columns = model.graph.output[0].type.tensor_type.shape.dim
    batch.dim_value, columns.dim_value = 1, columns_of_rows
    if halved:
        _halve_weights(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _halve_weights(graph):
    """Each float32 weight becomes a float16 one and a Cast, which a runtime folds away."""
    for weight in list(graph.initializer):
        if weight.data_type != onnx.TensorProto.FLOAT:
            continue
        name = weight.name
        values = numpy_helper.to_array(weight)
        graph.initializer.remove(weight)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f'{name}.half'))
        graph.node.insert(0, onnx.helper.make_node('Cast', [f'{name}.half'], [name], to=onnx.TensorProto.FLOAT))
