"""Family `resnet` without anything elastic: the source that a student leaves with.

The classes are copied into the file word by word, below the numbers that are only declared
here; names of parts are those of nets/resnet.py, so the weights are the same file.
"""

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.nets.resnet import stages
from kdsearch.nets.resolution import side_of

CHANNELS: int
CLASSES: tuple[str, ...]
SIDE: int
STAGES: tuple[tuple[int, int], ...]


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut; a stage's first block may halve the map."""

    def __init__(self, inputs: int, outputs: int, halves: bool) -> None:
        super().__init__()
        stride = 2 if halves else 1
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if halves:
            project = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = nn.Sequential(project, nn.BatchNorm2d(outputs))

    def forward(self, maps: Tensor) -> Tensor:
        out = F.relu(self.norm1(self.conv1(maps)))
        return F.relu(self.norm2(self.conv2(out)) + self.shortcut(maps))


class Student(nn.Module):
    """Normalised images (batch, channels, height, width) to logits (batch, classes)."""

    def __init__(self) -> None:
        super().__init__()
        inputs = STAGES[0][0]
        self.conv = nn.Conv2d(CHANNELS, inputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(inputs)
        self.stages = nn.ModuleList()
        for stage, (width, depth) in enumerate(STAGES):
            blocks = []
            for block in range(depth):
                blocks.append(Block(inputs, width, halves=stage > 0 and block == 0))
                inputs = width
            self.stages.append(nn.Sequential(*blocks))
        self.classifier = nn.Linear(inputs, len(CLASSES))

    def forward(self, images: Tensor) -> Tensor:
        if SIDE:
            images = F.interpolate(images, (SIDE, SIDE), mode="bilinear")
        maps = F.relu(self.norm(self.conv(images)))
        for stage in self.stages:
            maps = stage(maps)
        logits: Tensor = self.classifier(maps.mean((2, 3)))
        return logits


PARTS = (Block, Student)


def numbers(architecture: Mapping[str, Any]) -> list[str]:
    """The lines that stand above the classes."""
    chosen = Architecture.of(architecture)
    rows = "".join(f"    ({width}, {depth}),\n" for width, depth in stages(chosen))
    return [
        f"SIDE = {side_of(chosen)}",
        '"""Pixels that images are brought to first; 0: they stay as they are."""',
        f"STAGES = (\n{rows})",
        '"""Channels and blocks of each stage, shallow to deep."""',
    ]
