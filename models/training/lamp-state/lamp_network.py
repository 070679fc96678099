"""The network: four convolutions over an upright head of 24 x 48 pixels, then what each sixth of its height shows."""

from __future__ import annotations

import torch
from torch import nn

from lamp_data import SHAPES, STATES

LABELS = (*STATES, *(f"{state}-arrow" for state in STATES[1:]))


class LampNetwork(nn.Module):
    """Input [n, 3, 48, 24], RGB, 0-255. Outputs: logits of the state [n, 4] and of the form of the lit lens [n, 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *block(3, 12, 1), *block(12, 20, 2), *block(20, 28, 2), *block(28, 28, 1), nn.AvgPool2d((2, 3)), nn.Flatten()
        )
        self.body = nn.Sequential(nn.Linear(28 * 6 * 2, 20), nn.ReLU(), nn.Dropout(0.15))
        self.state = nn.Linear(20, len(STATES))
        self.shape = nn.Linear(20, len(SHAPES))

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = self.body(self.features(pixels * (1 / 64) - 2))
        return self.state(found), self.shape(found)


class ShippedNetwork(nn.Module):
    """What ships: one output `states` [n, 7] of probabilities, in the order of LABELS."""

    def __init__(self, network: LampNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        state_logits, shape_logits = self.network(pixels)
        state, disc = torch.softmax(state_logits, 1), torch.softmax(shape_logits, 1)[:, :1]
        dark, lit = state[:, :1], state[:, 1:]
        return torch.cat([dark, lit * disc, lit * (1 - disc)], 1)


def block(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
