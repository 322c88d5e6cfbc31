"""Method `dist`: distillation from a stronger teacher, Huang et al., 2022, arXiv:2205.10536;
authors' code hunto/image_classification_sota, lib/models/losses/dist_kd.py, kd_loss.py.
"""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Choice, Range, Space
from kdsearch.distill.method import Needs, Seen
from kdsearch.losses.pearson import inter_class_distance, intra_class_distance

WEIGHT = 2.0
"""The authors' weight of both distances beside the cross-entropy."""


class DIST:
    """labels · cross-entropy + 2 · (beta · inter + gamma · intra), correlations at tau.

    The two are `inter_class_distance` and `intra_class_distance`. 1, 1 and 1 are the authors',
    and tau 4 for CIFAR-100, 1 for ImageNet (configs/strategies/distill/dist_cifar.yaml,
    resnet_dist.yaml).
    """

    name: ClassVar[str] = "dist"
    knobs: ClassVar[Space] = Space(
        {
            "beta": Range(0.5, 4.0, log=True),
            "gamma": Range(0.5, 4.0, log=True),
            "tau": Choice((1.0, 2.0, 4.0)),
        }
    )
    options: ClassVar[Space] = Space({"labels": Range(0.0, 4.0)})
    needs = Needs(teacher=("logits",))

    def __init__(
        self, beta: float = 1.0, gamma: float = 1.0, tau: float = 4.0, labels: float = 1.0
    ) -> None:
        self.beta = beta
        self.gamma = gamma
        self.tau = tau
        self.labels = labels

    def __call__(self, seen: Seen) -> Tensor:
        hard = F.cross_entropy(seen.logits, seen.labels)
        inter = inter_class_distance(seen.logits, seen.teacher_logits, self.tau)
        intra = intra_class_distance(seen.logits, seen.teacher_logits, self.tau)
        return self.labels * hard + WEIGHT * (self.beta * inter + self.gamma * intra)
