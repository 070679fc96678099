"""The network that counts who rides on a motorbike: the first stages of YOLOX-nano, and a small head that says one number."""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1] / 'road-users'))

from network import Conv, SeparableConv, load_onnx  # noqa: E402

# The classes: nobody, one, two, three and more. In training four and more are told from three.
CLASSES, STEPS = 4, 4


class OccupantCounter(nn.Module):
    """Input `[B, 3, 128, 96]` BGR 0-255. Output of `count`: people, real numbers `[B]`; of `forward`: shares of the classes, `[B, 4]`."""

    def __init__(self, start):
        super().__init__()
        backbone = load_onnx(start).backbone
        self.stem, self.dark2, self.dark3, self.dark4 = backbone.stem, backbone.dark2, backbone.dark3, backbone.dark4
        self.lateral = Conv(128, 64)
        self.mix = nn.Sequential(SeparableConv(128, 64), SeparableConv(64, 64, stride=2), Conv(64, 32))
        self.drop = nn.Dropout(0.3)
        self.tell = nn.Linear(32 * 48 + 128, 1)
        self.steepness = nn.Parameter(torch.tensor(1.0))

    def count(self, images):
        corners = [images[..., y::2, x::2] for x in (0, 1) for y in (0, 1)]
        x8 = self.dark3(self.dark2(self.stem(torch.cat(corners, 1))))
        x16 = self.dark4(x8)
        both = torch.cat((x8, F.interpolate(self.lateral(x16), scale_factor=2.0)), 1)
        return 1.3 + self.tell(self.drop(torch.cat((self.mix(both).flatten(1), x16.mean((2, 3))), 1)))[:, 0]

    def compare(self, counts):
        """Log-odds that there are more than 0, 1, 2, 3, `[B, 4]`."""
        return self.steepness.exp() * (counts[:, None] - torch.arange(STEPS, device=counts.device) - 0.5)

    def forward(self, images):
        more = self.compare(self.count(images)).sigmoid()
        return torch.cat((1 - more[:, :1], more[:, :1] - more[:, 1:2], more[:, 1:2] - more[:, 2:3], more[:, 2:3]), 1)
