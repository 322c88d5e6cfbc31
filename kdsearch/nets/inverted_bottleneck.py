"""The inverted bottleneck: Sandler et al., 2018, arXiv:1801.04381, sec. 3.3; with hard swish
and squeeze-and-excitation as in MobileNetV3 (Howard et al., 2019, arXiv:1905.02244, sec. 5).

Elastic in inputs, outputs, expansion and kernel (Cai et al., 2020, arXiv:1908.09791, sec. 3).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.divisible import make_divisible
from kdsearch.nets.elastic import ElasticBatchNorm2d, ElasticConv2d
from kdsearch.nets.elastic_depthwise import ElasticDepthwise2d
from kdsearch.nets.squeeze_excite import ElasticSqueezeExcite, SqueezeExcite


class Shape(NamedTuple):
    """All that makes one block."""

    inputs: int
    outputs: int
    kernel: int
    expand: float
    starts: bool
    """Whether it halves the map and changes the width; it has no shortcut then."""
    squeezes: bool

    @property
    def hidden(self) -> int:
        return make_divisible(self.inputs * self.expand)

    @property
    def stride(self) -> int:
        return 2 if self.starts else 1


class InvertedBottleneck(nn.Module):
    """Widen (1x1), filter each channel (depthwise), narrow (1x1, no activation after it)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        hidden, kernel = shape.hidden, shape.kernel
        self.shortcut = not shape.starts
        self.expand = nn.Conv2d(shape.inputs, hidden, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(hidden)
        self.depthwise = nn.Conv2d(
            hidden, hidden, kernel, shape.stride, kernel // 2, groups=hidden, bias=False
        )
        self.norm2 = nn.BatchNorm2d(hidden)
        self.squeeze = SqueezeExcite(hidden) if shape.squeezes else nn.Identity()
        self.project = nn.Conv2d(hidden, shape.outputs, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(shape.outputs)

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = F.hardswish(self.norm1(self.expand(maps)))
        out = self.squeeze(F.hardswish(self.norm2(self.depthwise(out))))
        out = self.norm3(self.project(out))
        return out + maps if self.shortcut else out


class ElasticInvertedBottleneck(nn.Module):
    """`InvertedBottleneck` of every shape up to `widest`, in one set of weights.

    Args:
        widest: the largest of everything.
        kernels: the kernels that may be asked for.
        transform: see `ElasticDepthwise2d`.
    """

    def __init__(self, widest: Shape, kernels: Sequence[int], *, transform: bool) -> None:
        super().__init__()
        hidden = widest.hidden
        self.widest = widest
        self.expand = ElasticConv2d(widest.inputs, hidden, 1)
        self.norm1 = ElasticBatchNorm2d(hidden)
        self.depthwise = ElasticDepthwise2d(hidden, kernels, widest.stride, transform=transform)
        self.norm2 = ElasticBatchNorm2d(hidden)
        self.squeeze = ElasticSqueezeExcite(hidden) if widest.squeezes else None
        self.project = ElasticConv2d(hidden, widest.outputs, 1)
        self.norm3 = ElasticBatchNorm2d(widest.outputs)

    def forward(self, maps: Tensor, shape: Shape) -> Tensor:
        out: Tensor = F.hardswish(self.norm1(self.expand(maps, shape.hidden)))
        out = F.hardswish(self.norm2(self.depthwise(out, shape.kernel)))
        if self.squeeze is not None:
            out = self.squeeze(out)
        out = self.norm3(self.project(out, shape.outputs))
        return out if self.widest.starts else out + maps

    def carve(self, shape: Shape) -> InvertedBottleneck:
        with torch.device("meta"):  # an outline: every part of it is replaced below
            plain = InvertedBottleneck(shape)
        hidden = shape.hidden
        plain.expand = self.expand.carve(shape.inputs, hidden)
        plain.norm1 = self.norm1.carve(hidden)
        plain.depthwise = self.depthwise.carve(hidden, shape.kernel)
        plain.norm2 = self.norm2.carve(hidden)
        if self.squeeze is not None:
            plain.squeeze = self.squeeze.carve(hidden)
        plain.project = self.project.carve(hidden, shape.outputs)
        plain.norm3 = self.norm3.carve(shape.outputs)
        return plain


def initialise(network: nn.Module) -> None:
    """He initialisation by the outputs of a group; biases 0; the last norm of a block with a
    shortcut starts at 0 (Goyal et al., 2017, sec. 5.1), so that the block passes its input on.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            height, width = module.kernel_size
            fan = height * width * module.out_channels / module.groups
            nn.init.normal_(module.weight, std=(2 / fan) ** 0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, InvertedBottleneck) and module.shortcut:
            nn.init.zeros_(module.norm3.weight)
        elif isinstance(module, ElasticInvertedBottleneck) and not module.widest.starts:
            nn.init.zeros_(module.norm3.widest.weight)
