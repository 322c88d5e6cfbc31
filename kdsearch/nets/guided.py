"""Guided modules of evolutionary knowledge distillation (Zhang et al., 2021,
arXiv:2103.13811): an exit with an embedding and a prediction after every stage.

No authors' code is public: layers and sizes are our reconstruction, in the manner of
self-distillation's exits, and group normalisation lets widths share them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.elastic_norm import ElasticGroupNorm
from kdsearch.nets.scaled import ScaledConv2d, ScaledLinear


class Exit(NamedTuple):
    embedding: Tensor
    """(batch, dimension)."""
    logits: Tensor
    """(batch, classes)."""


class Bottleneck(nn.Module):
    """Convolution, norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = ScaledConv2d(inputs, outputs, kernel, stride, kernel // 2)
        self.norm = ElasticGroupNorm(outputs)

    def forward(self, maps: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(maps)))


class Guided(nn.Module):
    """One stage's exit: a quarter of the dimension, halved in size as often as the stages to
    come would, then the dimension, averaged over the map.

    Args:
        width: channels of the stage in the largest student; narrower maps are taken too.
        halvings: stages after this one. A map of one pixel stays one.
        dimension: of the embedding, the same for student and teacher.
        classes: of the logits.
    """

    def __init__(self, width: int, halvings: int, dimension: int, classes: int) -> None:
        super().__init__()
        quarter = max(1, dimension // 4)
        self.layers = nn.Sequential(
            Bottleneck(width, quarter, 1),
            *(Bottleneck(quarter, quarter, 3, stride=2) for _ in range(halvings)),
            Bottleneck(quarter, dimension, 1),
        )
        self.classifier = nn.Linear(dimension, classes)

    def forward(self, maps: Tensor) -> Exit:
        embedding = self.layers(maps).mean((2, 3))
        return Exit(embedding, self.classifier(embedding))


class Exits(nn.Module):
    """The exits of one network; the last has the network's own logits.

    Args:
        widths: channels of each stage in the largest student, shallow to deep.
        pooled: features of its classifier's input.
        dimension: of every embedding.
        classes: of the logits.
    """

    def __init__(
        self, widths: Sequence[int], pooled: int, dimension: int, classes: int
    ) -> None:
        super().__init__()
        self.guided = nn.ModuleList(
            Guided(width, len(widths) - stage, dimension, classes)
            for stage, width in enumerate(widths[:-1], 1)
        )
        self.embed = ScaledLinear(pooled, dimension)

    def forward(
        self, feats: Sequence[Tensor], pooled: Tensor, logits: Tensor
    ) -> tuple[Exit, ...]:
        """One exit per stage, shallow to deep."""
        shallow = [guided(maps) for guided, maps in zip(self.guided, feats[:-1], strict=True)]
        return (*shallow, Exit(self.embed(pooled), logits))
