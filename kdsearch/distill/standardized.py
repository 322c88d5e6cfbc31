"""Method `standardized`: logit standardisation, Sun et al., 2024, arXiv:2403.01427; authors'
code sunshangquan/logit-standardization-KD, mdistiller/distillers/KD.py, DKD.py, tools/train.py.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Choice, Range, Space
from kdsearch.distill.method import Needs, Seen
from kdsearch.losses.decoupled import decoupled_kl
from kdsearch.losses.softened import softened_kl
from kdsearch.losses.standardized import standardized
from kdsearch.losses.warm_up import PUBLISHED, warm_up

LABELS: Mapping[str, float] = MappingProxyType({"soften": 0.1, "decoupled": 1.0})
"""The authors' weight of the cross-entropy, by the loss under it."""


class Standardized:
    """0.1 · cross-entropy + weight · T² · KL(teacher ‖ student) of standardised logits.

    With `base: decoupled` 1 · cross-entropy + warm-up · weight · T² · (alpha · target +
    beta · non-target), the terms of `decoupled_kl`. Temperature 2 and weight 9 are the authors'
    for CIFAR-100, alpha, beta and warm-up (of that base alone) those of the decoupled loss they
    build on. The cross-entropy is of the logits as they are.
    """

    name: ClassVar[str] = "standardized"
    knobs: ClassVar[Space] = Space(
        {"temperature": Range(1.0, 5.0), "weight": Range(1.0, 20.0, log=True)}
    )
    options: ClassVar[Space] = Space(
        {
            "base": Choice(tuple(LABELS)),
            "alpha": Range(0.5, 2.0, log=True),
            "beta": Range(0.25, 16.0, log=True),
            "warmup": Range(0.0, 1.0),
        }
    )
    needs = Needs(teacher=("logits",))

    def __init__(
        self,
        temperature: float = 2.0,
        weight: float = 9.0,
        base: Literal["soften", "decoupled"] = "soften",
        alpha: float = 1.0,
        beta: float = 8.0,
        warmup: float = PUBLISHED,
    ) -> None:
        """
        Args:
            warmup: share of the training in which the teacher's part grows in.
        """
        self.temperature = temperature
        self.weight = weight
        self.base = base
        self.alpha = alpha
        self.beta = beta
        self.warmup = warmup

    def __call__(self, seen: Seen) -> Tensor:
        hard = F.cross_entropy(seen.logits, seen.labels)
        return LABELS[self.base] * hard + self.weight * self.soft(seen)

    def soft(self, seen: Seen) -> Tensor:
        student, teacher = standardized(seen.logits), standardized(seen.teacher_logits)
        if self.base == "soften":
            return softened_kl(student, teacher, self.temperature)
        decoupled = decoupled_kl(
            student, teacher, seen.labels, self.temperature, self.alpha, self.beta
        )
        return warm_up(seen.progress, self.warmup) * decoupled
