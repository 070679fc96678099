"""The first stages of a YOLOX network, read from its ONNX file and rebuilt in torch: 64 features at an eighth of the picture."""

from __future__ import annotations

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

LAST_CONCAT = 2
"""The features are taken behind the convolution that follows this concatenation, counted behind the first one of the stem: the
end of the third stage (`dark3`)."""


class Backbone(nn.Module):
    """Input [n, 3, h, w], BGR, 0-255, h and w multiples of 8. Output [n, 64, h / 8, w / 8]."""

    def __init__(self, path: str) -> None:
        super().__init__()
        graph = onnx.load(path).graph
        weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        nodes = list(graph.node)
        stem = next(index for index, node in enumerate(nodes) if node.op_type == "Concat")
        self.begin = nodes[stem].output[0]
        self.steps: list[tuple[str, list[str], str]] = []
        self.convolutions = nn.ModuleDict()
        concats = 0
        for node in nodes[stem + 1 :]:
            if node.op_type == "Conv":
                self.convolutions[node.output[0]] = to_convolution(node, weights)
                self.steps.append(("Conv", [node.input[0]], node.output[0]))
            elif node.op_type in ("Sigmoid", "Mul", "Add", "Concat"):
                self.steps.append((node.op_type, list(node.input), node.output[0]))
            else:
                raise ValueError(f"{path}: {node.op_type} is not expected in the first stages")
            concats += node.op_type == "Concat"
            # the convolution behind the concatenation, its sigmoid, and their product
            if concats == LAST_CONCAT and node.op_type == "Mul":
                break
        self.end = self.steps[-1][2]

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        corners = [pixels[..., y::2, x::2] for y, x in ((0, 0), (1, 0), (0, 1), (1, 1))]
        values = {self.begin: torch.cat(corners, 1)}
        for kind, inputs, output in self.steps:
            given = [values[name] for name in inputs]
            if kind == "Conv":
                values[output] = self.convolutions[output](given[0])
            elif kind == "Sigmoid":
                values[output] = torch.sigmoid(given[0])
            elif kind == "Concat":
                values[output] = torch.cat(given, 1)
            else:
                values[output] = given[0] * given[1] if kind == "Mul" else given[0] + given[1]
        return values[self.end]


def to_convolution(node: onnx.NodeProto, weights: dict[str, np.ndarray]) -> nn.Conv2d:
    facts = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    kernel, bias = weights[node.input[1]], weights[node.input[2]]
    groups = facts.get("group", 1)
    layer = nn.Conv2d(
        kernel.shape[1] * groups,
        kernel.shape[0],
        kernel.shape[2:],
        tuple(facts.get("strides", (1, 1))),
        tuple(facts.get("pads", (0, 0, 0, 0))[:2]),
        groups=groups,
    )
    layer.weight.data = torch.from_numpy(kernel.copy())
    layer.bias.data = torch.from_numpy(bias.copy())
    return layer


class HelmetNetwork(nn.Module):
    """Input [n, 3, 64, 64], BGR, 0-255: a head with a margin. Output: logits of helmet and bare [n, 2]."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = HelmetHead()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.head(self.backbone(pixels))


class HelmetHead(nn.Module):
    """The part that is trained, on the features of the backbone, which stays as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv2d(64, 16, 3, 2, 1)
        self.drop = nn.Dropout(0.4)
        self.tell = nn.Linear(16 * 16 + 64, 2)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        places = functional.relu(self.look(features)).flatten(1)
        whole = features.mean((2, 3))
        return self.tell(self.drop(torch.cat([places, whole], 1)))
