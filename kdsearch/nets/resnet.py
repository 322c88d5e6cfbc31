"""Family `resnet`: basic-block residual networks for small images, 3 or 4 stages.

He et al., 2016, arXiv:1512.03385, sec. 4.2 (the CIFAR form: 3x3 stem, no pooling before the
stages). Per stage a width (channels) and a depth (blocks); the stem is as wide as stage 1. A
space may have the axis `resolution` too.
An elastic stage runs its first `depth` blocks (Cai et al., 2020, arXiv:1908.09791).
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.errors import UserError
from kdsearch.nets.elastic import ElasticBatchNorm2d, ElasticConv2d, ElasticLinear
from kdsearch.nets.family import Segment
from kdsearch.nets.pooled_classifier import PooledClassifier
from kdsearch.nets.resolution import AXIS, Resize, side_of
from kdsearch.output import Output

STAGES = (3, 4)


def stages(architecture: Architecture) -> list[tuple[int, int]]:
    """(width, depth) of each stage, shallow to deep."""
    count = sum(name.endswith(".width") for name, _ in architecture.choices)
    return [
        (int(architecture[f"stage{s}.width"]), int(architecture[f"stage{s}.depth"]))
        for s in range(1, count + 1)
    ]


def starts_stage(stage: int, block: int) -> bool:
    """Whether this block changes resolution and width, and so projects its shortcut."""
    return stage > 0 and block == 0


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut; projects the shortcut where a stage starts."""

    def __init__(self, inputs: int, outputs: int, *, starts: bool) -> None:
        super().__init__()
        stride = 2 if starts else 1
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = (
            nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
            if starts
            else nn.Identity()
        )

    def forward(self, images: Tensor) -> Tensor:
        out = F.relu(self.norm1(self.conv1(images)))
        return F.relu(self.norm2(self.conv2(out)) + self.shortcut(images))


class ResNet(nn.Module):
    """One student: plain layers, free-standing. feats are the outputs of its stages."""

    def __init__(
        self, shape: Sequence[tuple[int, int]], channels: int, classes: int, side: int = 0
    ) -> None:
        super().__init__()
        stem = shape[0][0]
        self.resize = Resize(side)
        self.conv = nn.Conv2d(channels, stem, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(stem)
        self.stages = nn.ModuleList()
        inputs = stem
        for s, (width, depth) in enumerate(shape):
            blocks = [
                Block(inputs if b == 0 else width, width, starts=starts_stage(s, b))
                for b in range(depth)
            ]
            self.stages.append(nn.Sequential(*blocks))
            inputs = width
        self.classifier = nn.Linear(inputs, classes)
        initialise(self)

    def reset_parameters(self) -> None:
        """Draws new weights, as for a new network, and forgets the norms' statistics."""
        for module in self.modules():
            if isinstance(module, (nn.BatchNorm2d, nn.Linear)):
                module.reset_parameters()
        initialise(self)

    def forward(self, images: Tensor) -> Output:
        out = F.relu(self.norm(self.conv(self.resize(images))))
        feats = []
        for stage in self.stages:
            out = stage(out)
            feats.append(out)
        pooled = out.mean((2, 3))
        return Output(self.classifier(pooled), tuple(feats), pooled)


class ElasticBlock(nn.Module):
    """The block of every width: `Block` with elastic layers."""

    def __init__(self, inputs: int, outputs: int, *, starts: bool) -> None:
        super().__init__()
        stride = 2 if starts else 1
        self.conv1 = ElasticConv2d(inputs, outputs, 3, stride)
        self.norm1 = ElasticBatchNorm2d(outputs)
        self.conv2 = ElasticConv2d(outputs, outputs, 3)
        self.norm2 = ElasticBatchNorm2d(outputs)
        self.project = ElasticConv2d(inputs, outputs, 1, stride) if starts else None
        self.project_norm = ElasticBatchNorm2d(outputs) if starts else None

    def forward(self, images: Tensor, width: int) -> Tensor:
        out = F.relu(self.norm1(self.conv1(images, width)))
        out = self.norm2(self.conv2(out, width))
        if self.project is None or self.project_norm is None:
            return F.relu(out + images)
        return F.relu(out + self.project_norm(self.project(images, width)))

    def carve(self, inputs: int, width: int) -> Block:
        with torch.device("meta"):
            plain = Block(inputs, width, starts=self.project is not None)
        plain.conv1 = self.conv1.carve(inputs, width)
        plain.norm1 = self.norm1.carve(width)
        plain.conv2 = self.conv2.carve(width, width)
        plain.norm2 = self.norm2.carve(width)
        if self.project is not None and self.project_norm is not None:
            plain.shortcut = nn.Sequential(
                self.project.carve(inputs, width), self.project_norm.carve(width)
            )
        return plain


class ElasticResNet(nn.Module):
    """Every student of a `resnet` space in one set of weights."""

    def __init__(self, largest: Architecture, channels: int, classes: int) -> None:
        super().__init__()
        shape = stages(largest)
        self.channels = channels
        self.conv = ElasticConv2d(channels, shape[0][0], 3)
        self.norm = ElasticBatchNorm2d(shape[0][0])
        self.stages = nn.ModuleList()
        inputs = shape[0][0]
        for s, (width, depth) in enumerate(shape):
            blocks = [
                ElasticBlock(inputs if b == 0 else width, width, starts=starts_stage(s, b))
                for b in range(depth)
            ]
            self.stages.append(nn.ModuleList(blocks))
            inputs = width
        self.classifier = ElasticLinear(inputs, classes)
        initialise(self)

    def _active(
        self, shape: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[int, list[nn.Module]]]:
        for blocks, (width, depth) in zip(self.stages, shape, strict=True):
            assert isinstance(blocks, nn.ModuleList)
            yield width, list(blocks)[:depth]

    def forward(self, images: Tensor, architecture: Architecture) -> Output:
        width = stages(architecture)[0][0]
        images = Resize(side_of(architecture))(images)
        stem = F.relu(self.norm(self.conv(images, width)))
        return self.forward_from(0, stem, architecture)

    def forward_from(self, stage: int, maps: Tensor, architecture: Architecture) -> Output:
        """See `Supernet.forward_from`; after stage 0 stands what the stem gives."""
        out, feats = maps, []
        for width, blocks in list(self._active(stages(architecture)))[stage:]:
            for block in blocks:
                out = block(out, width)
            feats.append(out)
        pooled = out.mean((2, 3))
        return Output(self.classifier(pooled), tuple(feats), pooled)

    def shapes(self, architecture: Architecture, side: int) -> list[tuple[int, int, int]]:
        """See `Supernet.shapes`; a stage halves the size, rounding up."""
        shown = side_of(architecture) or side
        sides = [-(-shown // 2**s) for s in range(len(self.stages))]
        widths = [width for width, _ in stages(architecture)]
        return [(width, side, side) for width, side in zip(widths, sides, strict=True)]

    def segments(self, architecture: Architecture) -> list[Segment]:
        """See `Supernet.segments`."""
        shape, side = stages(architecture), side_of(architecture)
        inputs = shape[0][0]
        pieces = [Segment((side, inputs), partial(self._stem, side, inputs))]
        for s, (width, blocks) in enumerate(self._active(shape)):
            for b, block in enumerate(blocks):
                assert isinstance(block, ElasticBlock)
                pieces.append(Segment((s, width, b), partial(block.carve, inputs, width)))
                inputs = width
        return [*pieces, Segment((len(shape),), partial(self._head, inputs))]

    def _stem(self, side: int, width: int) -> nn.Sequential:
        conv, norm = self.conv.carve(self.channels, width), self.norm.carve(width)
        return nn.Sequential(Resize(side), conv, norm, nn.ReLU())

    def _head(self, inputs: int) -> PooledClassifier:
        return PooledClassifier(self.classifier.carve(inputs))

    def carve(self, architecture: Architecture) -> nn.Module:
        """See `Supernet.carve`."""
        shape = stages(architecture)
        inputs = shape[0][0]
        with torch.device("meta"):  # an outline: every part of it is replaced below
            classes = self.classifier.widest.out_features
            plain = ResNet(shape, self.channels, classes, side_of(architecture))
        plain.conv = self.conv.carve(self.channels, inputs)
        plain.norm = self.norm.carve(inputs)
        for s, (width, blocks) in enumerate(self._active(shape)):
            carved = []
            for block in blocks:
                assert isinstance(block, ElasticBlock)
                carved.append(block.carve(inputs, width))
                inputs = width
            plain.stages[s] = nn.Sequential(*carved)
        plain.classifier = self.classifier.carve(inputs)
        return plain.train(self.training)


def initialise(network: nn.Module) -> None:
    """He initialisation; a block's last norm starts at 0 (Goyal et al., 2017, sec. 5.1)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, Block):
            nn.init.zeros_(module.norm2.weight)
        elif isinstance(module, ElasticBlock):
            nn.init.zeros_(module.norm2.widest.weight)


class ResNetFamily:
    """`resnet`: axes `stageN.width` and `stageN.depth` for 3 or 4 stages."""

    name = "resnet"
    shares_weights = True

    def check(self, space: Space) -> None:
        """Raises UserError unless the axes are widths and depths of 3 or 4 stages."""
        found = {int(m[1]) for n in space.axes if (m := re.fullmatch(r"stage(\d)\..*", n))}
        count = max(found, default=0)
        wanted = {
            f"stage{s}.{axis}" for s in range(1, count + 1) for axis in ("width", "depth")
        }
        if count not in STAGES or set(space.axes) - {AXIS} != wanted:
            raise UserError(
                "family resnet needs stage1.width, stage1.depth, … for 3 or 4 stages; "
                f"and may have {AXIS}; found {', '.join(space.axes)}"
            )
        for name, axis in space.axes.items():
            whole = isinstance(axis, Choice) and all(
                isinstance(v, int) and v >= 1 for v in axis.values
            )
            if not whole:
                raise UserError(
                    f"family resnet: {name} needs whole numbers from 1 up; got {axis}"
                )

    def supernet(self, space: Space, channels: int, classes: int) -> ElasticResNet:
        self.check(space)
        return ElasticResNet(Architecture.of(space.largest()), channels, classes)

    def student(self, architecture: Architecture, channels: int, classes: int) -> ResNet:
        shape, side = stages(architecture), side_of(architecture)
        return ResNet(shape, channels, classes, side)

    def wider(self, architecture: Architecture, factor: float) -> Architecture:
        """See `Family.wider`."""
        return Architecture.of(
            {
                name: max(1, round(int(value) * factor)) if name.endswith("width") else value
                for name, value in architecture.choices
            }
        )
