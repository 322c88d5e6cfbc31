"""Method `probabilistic`: probabilistic knowledge transfer, Passalis & Tefas, 2018,
arXiv:1803.10837; as in megvii-research/mdistiller, mdistiller/distillers/PKT.py, after the
authors' passalis/probabilistic_kt, nn/pkt.py.
"""

from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Choice, Range, Space
from kdsearch.distill.method import Needs, Seen
from kdsearch.losses.probabilistic import probabilistic_kl

BATCH = 64
"""Of mdistiller's trainings, which its weight is for."""


class Probabilistic:
    """labels · cross-entropy + weight · probabilistic_kl of the pooled features.

    1 and 30000 are mdistiller's for CIFAR-100 (mdistiller/engine/cfg.py).

    The mean over all batch² entries shrinks like 1 / batch, and 30000 is for a batch of 64.
    `reduction: batchmean` (ours) sums a row, takes the mean over rows, and divides it by 64: at
    a batch of 64 it is the mean, and at any other the weight means the same as there. With
    `mean`, the authors', the weight for a batch of B is 30000 · B / 64; for row sums as they
    are it would be 30000 / 64.
    """

    name: ClassVar[str] = "probabilistic"
    knobs: ClassVar[Space] = Space({"weight": Range(3000.0, 300_000.0, log=True)})
    options: ClassVar[Space] = Space(
        {"labels": Range(0.0, 4.0), "reduction": Choice(("mean", "batchmean"))}
    )
    needs = Needs(teacher=("pooled",), student=("logits", "pooled"))

    def __init__(
        self,
        weight: float = 30_000.0,
        labels: float = 1.0,
        reduction: Literal["mean", "batchmean"] = "batchmean",
    ) -> None:
        self.weight = weight
        self.labels = labels
        self.reduction = reduction

    def __call__(self, seen: Seen) -> Tensor:
        divergence = probabilistic_kl(seen.pooled, seen.teacher_pooled)
        if self.reduction == "batchmean":
            divergence = divergence * (len(seen.labels) / BATCH)
        hard = F.cross_entropy(seen.logits, seen.labels)
        return self.labels * hard + self.weight * divergence
