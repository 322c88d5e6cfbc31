"""Method `decoupled`: decoupled knowledge distillation, Zhao et al., 2022, arXiv:2203.08679;
authors' code megvii-research/mdistiller, mdistiller/distillers/DKD.py.
"""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Range, Space
from kdsearch.distill.method import Needs, Seen
from kdsearch.losses.decoupled import decoupled_kl
from kdsearch.losses.warm_up import PUBLISHED, warm_up


class Decoupled:
    """labels · cross-entropy + warm-up · T² · (alpha · target + beta · non-target).

    The terms of `decoupled_kl`. 1, 1, 8, temperature 4 and a warm-up of 20 epochs of 240 are
    the authors' for CIFAR-100 (mdistiller/engine/cfg.py); some pairs have a beta of their own
    there (2: resnet56 to 20, 110 to 32; 6: wide ResNets, vgg13). For ImageNet they take alpha
    1, beta 0.5, temperature 1 and a warm-up of one epoch.
    """

    name: ClassVar[str] = "decoupled"
    knobs: ClassVar[Space] = Space(
        {
            "alpha": Range(0.5, 2.0, log=True),
            "beta": Range(0.25, 16.0, log=True),
            "temperature": Range(1.0, 8.0, log=True),
            "warmup": Range(0.0, 0.2),
        }
    )
    options: ClassVar[Space] = Space({"labels": Range(0.0, 4.0)})
    needs = Needs(teacher=("logits",))

    def __init__(
        self,
        alpha: float = 1.0,
        beta: float = 8.0,
        temperature: float = 4.0,
        warmup: float = PUBLISHED,
        labels: float = 1.0,
    ) -> None:
        """
        Args:
            warmup: share of the training in which the teacher's part grows in.
        """
        self.alpha = alpha
        self.beta = beta
        self.temperature = temperature
        self.warmup = warmup
        self.labels = labels

    def __call__(self, seen: Seen) -> Tensor:
        hard = F.cross_entropy(seen.logits, seen.labels)
        decoupled = decoupled_kl(
            seen.logits,
            seen.teacher_logits,
            seen.labels,
            self.temperature,
            self.alpha,
            self.beta,
        )
        return self.labels * hard + warm_up(seen.progress, self.warmup) * decoupled
