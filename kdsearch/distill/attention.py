"""Method `attention`: attention transfer, Zagoruyko & Komodakis, 2017, arXiv:1612.03928; as in
megvii-research/mdistiller, mdistiller/distillers/AT.py.
"""

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Choice, Range, Space
from kdsearch.distill.method import Needs, Seen
from kdsearch.losses.attention import attention_distance
from kdsearch.losses.matching import POLICIES

PLACES = 64
"""Of the deepest maps, 8 x 8, of mdistiller's ResNets, which its weight is for."""


class Attention:
    """labels · cross-entropy + weight · Σ attention_distance over pairs of stage-end maps.

    1 and 1000 are mdistiller's for CIFAR-100 (mdistiller/engine/cfg.py). Where a pair's sizes
    differ the larger map is averaged down; no width enters, so there is nothing to train.
    `layers` says which maps make a pair (losses/matching.py): one to one from the deep end is
    mdistiller's, the others are ours.

    The mean over places shrinks like 1 / places, and 1000 is for images of 32 px, whose deepest
    maps are of 8 x 8: images of 8 px would count 16 times as much, and labels drown. So
    `reduction: batchmean` (ours) multiplies by the places of the deepest pair over 64, as if
    squares were summed over places: with deepest maps of 8 x 8 it is the mean, and with others
    the weight means the same as there. `mean` is mdistiller's.
    """

    name: ClassVar[str] = "attention"
    knobs: ClassVar[Space] = Space({"weight": Range(100.0, 10_000.0, log=True)})
    options: ClassVar[Space] = Space(
        {
            "labels": Range(0.0, 4.0),
            "layers": Choice(tuple(POLICIES)),
            "reduction": Choice(("mean", "batchmean")),
        }
    )
    needs = Needs(teacher=("feats",), student=("logits", "feats"))

    def __init__(
        self,
        weight: float = 1000.0,
        labels: float = 1.0,
        layers: str = "stage-end",
        reduction: Literal["mean", "batchmean"] = "batchmean",
    ) -> None:
        self.weight = weight
        self.labels = labels
        self.layers = layers
        self.reduction = reduction

    def __call__(self, seen: Seen) -> Tensor:
        student, teacher = seen.student.feats, seen.taught.feats
        pairs = POLICIES[self.layers](len(student), len(teacher))
        distances = [attention_distance(student[i], teacher[j]) for i, j in pairs]
        total = torch.stack(distances).sum()
        if self.reduction == "batchmean":
            total = total * (places(student[-1], teacher[-1]) / PLACES)
        hard = F.cross_entropy(seen.logits, seen.labels)
        return self.labels * hard + self.weight * total


def places(student: Tensor, teacher: Tensor) -> int:
    """How many two maps are compared at: the smaller height times the smaller width."""
    height, width = map(min, student.shape[2:], teacher.shape[2:])
    return height * width
