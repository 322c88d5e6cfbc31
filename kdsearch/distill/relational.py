"""Method `relational`: relational knowledge distillation, Park et al., 2019, arXiv:1904.05068;
as in megvii-research/mdistiller, mdistiller/distillers/RKD.py.
"""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Choice, Range, Space
from kdsearch.distill.method import Needs, Seen
from kdsearch.losses.relational import angle_distance, distance_distance


class Relational:
    """labels · cross-entropy + distance · D + angle · A of the pooled features.

    D is `distance_distance`, of all pairs in a batch, A `angle_distance`, of all triples.
    1, 25 and 50 are mdistiller's for CIFAR-100 (mdistiller/engine/cfg.py), at a batch of 64.
    Both are means of numbers whose size does not depend on the batch, so these weights carry
    over to others.

    Triples are of the batch's first `limit` images alone (ours): up to a batch of 128 the loss
    is mdistiller's; beyond it memory stays as it is for A, at most limit² · max(limit,
    features) numbers for each of a few tensors, and grows with batch² for D.
    """

    name: ClassVar[str] = "relational"
    knobs: ClassVar[Space] = Space(
        {"distance": Range(1.0, 100.0, log=True), "angle": Range(1.0, 200.0, log=True)}
    )
    options: ClassVar[Space] = Space(
        {"labels": Range(0.0, 4.0), "limit": Choice((32, 64, 128, 256, 512))}
    )
    needs = Needs(teacher=("pooled",), student=("logits", "pooled"))

    def __init__(
        self, distance: float = 25.0, angle: float = 50.0, labels: float = 1.0, limit: int = 128
    ) -> None:
        self.distance = distance
        self.angle = angle
        self.labels = labels
        self.limit = limit

    def __call__(self, seen: Seen) -> Tensor:
        student, teacher = seen.pooled, seen.teacher_pooled
        hard = F.cross_entropy(seen.logits, seen.labels)
        distances = distance_distance(student, teacher)
        angles = angle_distance(student, teacher, self.limit)
        return self.labels * hard + self.distance * distances + self.angle * angles
