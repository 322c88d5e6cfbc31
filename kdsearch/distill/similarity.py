"""Method `similarity`: similarity-preserving distillation, Tung & Mori, 2019,
arXiv:1907.09682; as in megvii-research/mdistiller, mdistiller/distillers/SP.py.
"""

from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Choice, Range, Space
from kdsearch.distill.method import Needs, Part, Seen, there
from kdsearch.losses.similarity import similarity_distance
from kdsearch.output import Output

BATCH = 64
"""Of mdistiller's trainings, which its weight is for."""


class Similarity:
    """labels · cross-entropy + weight · similarity_distance of who resembles whom.

    1, 3000 and the last stage's map, flattened, are mdistiller's for CIFAR-100
    (mdistiller/engine/cfg.py); `features: pooled` is ours, for networks without maps.

    The mean over all batch² entries shrinks like 1 / batch, and 3000 is for a batch of 64.
    `reduction: batchmean` (ours) sums a row, takes the mean over rows, and divides it by 64: at
    a batch of 64 it is the mean, and at any other the weight means the same as there. With
    `mean`, mdistiller's, the weight for a batch of B is 3000 · B / 64; for row sums as they are
    it would be 3000 / 64.
    """

    name: ClassVar[str] = "similarity"
    knobs: ClassVar[Space] = Space({"weight": Range(300.0, 30_000.0, log=True)})
    options: ClassVar[Space] = Space(
        {
            "labels": Range(0.0, 4.0),
            "features": Choice(("map", "pooled")),
            "reduction": Choice(("mean", "batchmean")),
        }
    )

    def __init__(
        self,
        weight: float = 3000.0,
        labels: float = 1.0,
        features: Literal["map", "pooled"] = "map",
        reduction: Literal["mean", "batchmean"] = "batchmean",
    ) -> None:
        self.weight = weight
        self.labels = labels
        self.features = features
        self.reduction = reduction
        part: Part = "feats" if features == "map" else "pooled"
        self.needs = Needs(teacher=(part,), student=("logits", part))

    def __call__(self, seen: Seen) -> Tensor:
        distance = similarity_distance(self.rows(seen.student), self.rows(seen.taught))
        if self.reduction == "batchmean":
            distance = distance * (len(seen.labels) / BATCH)
        return self.labels * F.cross_entropy(seen.logits, seen.labels) + self.weight * distance

    def rows(self, out: Output) -> Tensor:
        return there(out.pooled) if self.features == "pooled" else out.feats[-1].flatten(1)
