"""Family `vit` without anything elastic: the source that a student leaves with.

See plain/resnet.py; names of parts are those of nets/vision_transformer.py.
"""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.nets.elastic_attention import HEAD as HEAD_FEATURES
from kdsearch.nets.vit_shape import shape_of

CHANNELS: int
CLASSES: tuple[str, ...]
SIDE: int
PATCH: int
WIDTH: int
HEAD: int
STAGES: tuple[tuple[int, int, int], ...]


class Projections(nn.Module):
    """Queries, keys and values of tokens in one product."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, outputs, WIDTH))

    def forward(self, tokens: Tensor) -> Tensor:
        return F.linear(tokens, self.weight.flatten(0, 1))


class Attention(nn.Module):
    """Multi-head self-attention over tokens (batch, tokens, width)."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.project = Projections(HEAD * heads)
        self.merge = nn.Linear(HEAD * heads, WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        batch, count, _ = tokens.shape
        split = self.project(tokens).reshape(batch, count, 3, -1, HEAD)
        queries, keys, values = split.permute(2, 0, 3, 1, 4).unbind(0)
        seen = F.scaled_dot_product_attention(queries, keys, values)
        merged: Tensor = self.merge(seen.transpose(1, 2).flatten(2))
        return merged


class Scale(nn.Module):
    """Features, each times its own number."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(WIDTH))

    def forward(self, features: Tensor) -> Tensor:
        return features * self.weight


class Block(nn.Module):
    """Attention and a perceptron, each after its norm and beside a shortcut."""

    def __init__(self, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.attention = Attention(heads)
        self.scale1 = Scale()
        self.norm2 = nn.LayerNorm(WIDTH)
        self.expand = nn.Linear(WIDTH, hidden)
        self.shrink = nn.Linear(hidden, WIDTH)
        self.scale2 = Scale()

    def forward(self, maps: Tensor) -> Tensor:
        tokens: Tensor = maps.flatten(2).transpose(1, 2)
        tokens = tokens + self.scale1(self.attention(self.norm1(tokens)))
        inside = F.gelu(self.expand(self.norm2(tokens)))
        tokens = tokens + self.scale2(self.shrink(inside))
        return tokens.transpose(1, 2).reshape(maps.shape)


class Positions(nn.Module):
    """Adds to every token what its neighbours tell of where it is."""

    def __init__(self) -> None:
        super().__init__()
        self.near = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH)

    def forward(self, maps: Tensor) -> Tensor:
        there: Tensor = self.near(maps)
        return maps + there


class Student(nn.Module):
    """Normalised images (batch, channels, height, width) to logits (batch, classes)."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(CHANNELS, WIDTH, PATCH, PATCH)
        self.stages = nn.ModuleList()
        for depth, heads, hidden in STAGES:
            blocks = [Block(heads, hidden) for _ in range(depth)]
            self.stages.append(nn.Sequential(Positions(), *blocks))
        self.norm = nn.LayerNorm(WIDTH)
        self.classifier = nn.Linear(WIDTH, len(CLASSES))

    def forward(self, images: Tensor) -> Tensor:
        if SIDE:
            images = F.interpolate(images, (SIDE, SIDE), mode="bilinear")
        maps = self.patches(images)
        for stage in self.stages:
            maps = stage(maps)
        tokens = maps.flatten(2).transpose(1, 2)
        logits: Tensor = self.classifier(self.norm(tokens).mean(1))
        return logits


PARTS = (Projections, Attention, Scale, Block, Positions, Student)


def numbers(architecture: Mapping[str, Any]) -> list[str]:
    """The lines that stand above the classes."""
    shape = shape_of(Architecture.of(architecture))
    rows = "".join(
        f"    ({depth}, {sizes.heads}, {sizes.hidden}),\n" for depth, sizes in shape.stages
    )
    return [
        f"SIDE = {shape.side}",
        '"""Pixels that images are brought to first; 0: they stay as they are."""',
        f"PATCH = {shape.patch}",
        f"WIDTH = {shape.width}",
        '"""Features of a token."""',
        f"HEAD = {HEAD_FEATURES}",
        '"""Features of one head."""',
        f"STAGES = (\n{rows})",
        '"""Blocks, heads and features inside the perceptron of each stage."""',
    ]
