"""Family `mobile`: inverted bottlenecks for small images, 2 to 6 stages.

Sandler et al., 2018, arXiv:1801.04381; Howard et al., 2019, arXiv:1905.02244; elastic as in
Cai et al., 2020, arXiv:1908.09791. Axes: `stageN.width` and `stageN.depth` (blocks), and per
block `stageN.blockM.kernel` and `stageN.blockM.expand`; a space may have `resolution`, and
`kernel_transform` with the one value 0 or 1 (nets/elastic_depthwise.py; 0 where it is missing).

What is no choice (ours, for small images): the stem is 3x3, without stride, as wide as stage 1;
every stage after the first halves the map in its first block, which has no shortcut, while all
other blocks have one; the last two stages have squeeze-and-excitation; a block's middle is
make_divisible(inputs · expand) wide; hard swish throughout. The classifier sees the mean of the
last map; no wide 1x1 convolution comes before it, as the last block's middle already is one.

An elastic stage runs its first `depth` blocks. Kernel and expansion of the blocks beyond it do
not matter: two architectures that differ there alone are the same network.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.nets import mobile_axes
from kdsearch.nets.elastic import ElasticBatchNorm2d, ElasticConv2d, ElasticLinear
from kdsearch.nets.family import Segment
from kdsearch.nets.inverted_bottleneck import (
    ElasticInvertedBottleneck,
    InvertedBottleneck,
    Shape,
    initialise,
)
from kdsearch.nets.mobile_axes import block_shapes
from kdsearch.nets.pooled_classifier import PooledClassifier
from kdsearch.nets.resolution import Resize, side_of
from kdsearch.output import Output


class Mobile(nn.Module):
    """One student: plain layers, free-standing. feats are the outputs of its stages."""

    def __init__(
        self, shapes: Sequence[Sequence[Shape]], channels: int, classes: int, side: int = 0
    ) -> None:
        super().__init__()
        stem = shapes[0][0].inputs
        self.resize = Resize(side)
        self.conv = nn.Conv2d(channels, stem, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(stem)
        self.stages = nn.ModuleList(
            nn.Sequential(*map(InvertedBottleneck, stage)) for stage in shapes
        )
        self.classifier = nn.Linear(shapes[-1][-1].outputs, classes)
        initialise(self)

    def reset_parameters(self) -> None:
        """Draws new weights, as for a new network, and forgets the norms' statistics."""
        for module in self.modules():
            if isinstance(module, (nn.BatchNorm2d, nn.Linear)):
                module.reset_parameters()
        initialise(self)

    def forward(self, images: Tensor) -> Output:
        out = F.hardswish(self.norm(self.conv(self.resize(images))))
        feats = []
        for stage in self.stages:
            out = stage(out)
            feats.append(out)
        pooled = out.mean((2, 3))
        return Output(self.classifier(pooled), tuple(feats), pooled)


class ElasticMobile(nn.Module):
    """Every student of a `mobile` space in one set of weights."""

    def __init__(self, space: Space, channels: int, classes: int) -> None:
        super().__init__()
        largest = block_shapes(Architecture.of(space.largest()))
        choices, transform = space.choices(), mobile_axes.has_transform(space)
        stem = largest[0][0].inputs
        self.channels = channels
        self.conv = ElasticConv2d(channels, stem, 3)
        self.norm = ElasticBatchNorm2d(stem)
        self.stages = nn.ModuleList()
        for s, stage in enumerate(largest, 1):
            blocks = nn.ModuleList()
            for b, shape in enumerate(stage, 1):
                kernels = [int(k) for k in choices[f"stage{s}.block{b}.kernel"]]
                blocks.append(ElasticInvertedBottleneck(shape, kernels, transform=transform))
            self.stages.append(blocks)
        self.classifier = ElasticLinear(largest[-1][-1].outputs, classes)
        initialise(self)

    def _active(
        self, shapes: Sequence[Sequence[Shape]]
    ) -> Iterator[list[tuple[ElasticInvertedBottleneck, Shape]]]:
        for blocks, stage in zip(self.stages, shapes, strict=True):
            assert isinstance(blocks, nn.ModuleList)
            pairs = []
            for block, shape in zip(blocks, stage, strict=False):
                assert isinstance(block, ElasticInvertedBottleneck)
                pairs.append((block, shape))
            yield pairs

    def forward(self, images: Tensor, architecture: Architecture) -> Output:
        width = block_shapes(architecture)[0][0].inputs
        images = Resize(side_of(architecture))(images)
        stem = F.hardswish(self.norm(self.conv(images, width)))
        return self.forward_from(0, stem, architecture)

    def forward_from(self, stage: int, maps: Tensor, architecture: Architecture) -> Output:
        """See `Supernet.forward_from`; after stage 0 stands what the stem gives."""
        out, feats = maps, []
        for pairs in list(self._active(block_shapes(architecture)))[stage:]:
            for block, shape in pairs:
                out = block(out, shape)
            feats.append(out)
        pooled = out.mean((2, 3))
        return Output(self.classifier(pooled), tuple(feats), pooled)

    def shapes(self, architecture: Architecture, side: int) -> list[tuple[int, int, int]]:
        """See `Supernet.shapes`; every stage after the first halves the size, rounding up."""
        shown = side_of(architecture) or side
        sides = [-(-shown // 2**s) for s in range(len(self.stages))]
        widths = [stage[-1].outputs for stage in block_shapes(architecture)]
        return [(width, side, side) for width, side in zip(widths, sides, strict=True)]

    def segments(self, architecture: Architecture) -> list[Segment]:
        """See `Supernet.segments`."""
        shapes, side = block_shapes(architecture), side_of(architecture)
        stem, last = shapes[0][0].inputs, shapes[-1][-1].outputs
        pieces = [Segment((side, stem), partial(self._stem, side, stem))]
        for s, pairs in enumerate(self._active(shapes)):
            for b, (block, shape) in enumerate(pairs):
                key = (s, b, shape.outputs, shape.kernel, shape.hidden)
                pieces.append(Segment(key, partial(block.carve, shape)))
        return [*pieces, Segment((len(shapes),), partial(self._head, last))]

    def _stem(self, side: int, width: int) -> nn.Sequential:
        conv, norm = self.conv.carve(self.channels, width), self.norm.carve(width)
        return nn.Sequential(Resize(side), conv, norm, nn.Hardswish())

    def _head(self, inputs: int) -> PooledClassifier:
        return PooledClassifier(self.classifier.carve(inputs))

    def carve(self, architecture: Architecture) -> nn.Module:
        """See `Supernet.carve`."""
        shapes = block_shapes(architecture)
        stem, last = shapes[0][0].inputs, shapes[-1][-1].outputs
        with torch.device("meta"):  # an outline: every part of it is replaced below
            classes = self.classifier.widest.out_features
            plain = Mobile(shapes, self.channels, classes, side_of(architecture))
        plain.conv = self.conv.carve(self.channels, stem)
        plain.norm = self.norm.carve(stem)
        for s, pairs in enumerate(self._active(shapes)):
            plain.stages[s] = nn.Sequential(*(block.carve(shape) for block, shape in pairs))
        plain.classifier = self.classifier.carve(last)
        return plain.train(self.training)


class MobileFamily:
    """`mobile`: widths and depths per stage, kernels and expansions per block."""

    name = "mobile"
    shares_weights = True

    def check(self, space: Space) -> None:
        """See `mobile_axes.check`."""
        mobile_axes.check(space)

    def supernet(self, space: Space, channels: int, classes: int) -> ElasticMobile:
        self.check(space)
        return ElasticMobile(space, channels, classes)

    def student(self, architecture: Architecture, channels: int, classes: int) -> Mobile:
        return Mobile(block_shapes(architecture), channels, classes, side_of(architecture))

    def wider(self, architecture: Architecture, factor: float) -> Architecture:
        """See `Family.wider`; kernels and expansions stay as well."""
        return Architecture.of(
            {
                name: max(1, round(int(value) * factor)) if name.endswith(".width") else value
                for name, value in architecture.choices
            }
        )
