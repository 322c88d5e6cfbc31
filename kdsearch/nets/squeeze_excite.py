"""Squeeze-and-excitation: Hu et al., 2018, arXiv:1709.01507; with a hard sigmoid as in
MobileNetV3 (Howard et al., 2019, arXiv:1905.02244, sec. 5.2).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.divisible import make_divisible
from kdsearch.nets.elastic import ElasticConv2d

REDUCTION = 4


def squeezed(channels: int) -> int:
    """Width of the middle (Cai et al., 2020, arXiv:1908.09791, released code)."""
    return make_divisible(channels // REDUCTION)


class SqueezeExcite(nn.Module):
    """Scales each channel by what a small network makes of all channels' means."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, squeezed(channels), 1)
        self.expand = nn.Conv2d(squeezed(channels), channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        middle = F.relu(self.reduce(maps.mean((2, 3), keepdim=True)))
        return maps * F.hardsigmoid(self.expand(middle))


class ElasticSqueezeExcite(nn.Module):
    """The same for the leading channels; the middle is as wide as they would have it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = ElasticConv2d(channels, squeezed(channels), 1, bias=True)
        self.expand = ElasticConv2d(squeezed(channels), channels, 1, bias=True)

    def forward(self, maps: Tensor) -> Tensor:
        channels = maps.shape[1]
        middle = F.relu(self.reduce(maps.mean((2, 3), keepdim=True), squeezed(channels)))
        return maps * F.hardsigmoid(self.expand(middle, channels))

    def carve(self, channels: int) -> SqueezeExcite:
        with torch.device("meta"):
            plain = SqueezeExcite(channels)
        plain.reduce = self.reduce.carve(channels, squeezed(channels))
        plain.expand = self.expand.carve(squeezed(channels), channels)
        return plain
