"""Family `mobile` without anything elastic: the source that a student leaves with.

See plain/resnet.py; names of parts are those of nets/mobile.py.
"""

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.nets.mobile_axes import block_shapes
from kdsearch.nets.resolution import side_of
from kdsearch.nets.squeeze_excite import squeezed

CHANNELS: int
CLASSES: tuple[str, ...]
SIDE: int
STEM: int
STAGES: tuple[tuple[tuple[int, int, int, int, int], ...], ...]


class SqueezeExcite(nn.Module):
    """Scales each channel by what a small network makes of all channels' means."""

    def __init__(self, channels: int, middle: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, middle, 1)
        self.expand = nn.Conv2d(middle, channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        means = maps.mean((2, 3), keepdim=True)
        return maps * F.hardsigmoid(self.expand(F.relu(self.reduce(means))))


class Block(nn.Module):
    """Widen, filter each channel, weigh the channels, narrow; a shortcut around it."""

    def __init__(
        self, inputs: int, shape: tuple[int, int, int, int, int], halves: bool
    ) -> None:
        super().__init__()
        outputs, hidden, kernel, middle, _ = shape
        stride = 2 if halves else 1
        self.expand = nn.Conv2d(inputs, hidden, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(hidden)
        self.depthwise = nn.Conv2d(
            hidden, hidden, kernel, stride, kernel // 2, groups=hidden, bias=False
        )
        self.norm2 = nn.BatchNorm2d(hidden)
        self.squeeze = SqueezeExcite(hidden, middle) if middle else nn.Identity()
        self.project = nn.Conv2d(hidden, outputs, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(outputs)
        self.has_shortcut = not halves

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = F.hardswish(self.norm1(self.expand(maps)))
        out = self.squeeze(F.hardswish(self.norm2(self.depthwise(out))))
        out = self.norm3(self.project(out))
        return out + maps if self.has_shortcut else out


class Student(nn.Module):
    """Normalised images (batch, channels, height, width) to logits (batch, classes)."""

    def __init__(self) -> None:
        super().__init__()
        inputs = STEM
        self.conv = nn.Conv2d(CHANNELS, inputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(inputs)
        self.stages = nn.ModuleList()
        for shapes in STAGES:
            blocks = []
            for shape in shapes:
                blocks.append(Block(inputs, shape, halves=bool(shape[-1])))
                inputs = shape[0]
            self.stages.append(nn.Sequential(*blocks))
        self.classifier = nn.Linear(inputs, len(CLASSES))

    def forward(self, images: Tensor) -> Tensor:
        if SIDE:
            images = F.interpolate(images, (SIDE, SIDE), mode="bilinear")
        maps = F.hardswish(self.norm(self.conv(images)))
        for stage in self.stages:
            maps = stage(maps)
        logits: Tensor = self.classifier(maps.mean((2, 3)))
        return logits


PARTS = (SqueezeExcite, Block, Student)


def numbers(architecture: Mapping[str, Any]) -> list[str]:
    """The lines that stand above the classes."""
    chosen = Architecture.of(architecture)
    shapes = block_shapes(chosen)
    rows = ""
    for stage in shapes:
        blocks = [
            f"({b.outputs}, {b.hidden}, {b.kernel}, "
            f"{squeezed(b.hidden) if b.squeezes else 0}, {int(b.starts)}),"
            for b in stage
        ]
        lines = "".join(f"        {block}\n" for block in blocks)
        rows += f"    (\n{lines}    ),\n" if len(blocks) > 1 else f"    ({blocks[0]}),\n"
    return [
        f"SIDE = {side_of(chosen)}",
        '"""Pixels that images are brought to first; 0: they stay as they are."""',
        f"STEM = {shapes[0][0].inputs}",
        f"STAGES = (\n{rows})",
        '"""Of each block of each stage: channels out and inside, side of the filters,\n'
        'channels that weigh the others (0: none do), and 1 where it halves the map."""',
    ]
