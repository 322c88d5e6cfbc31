"""Method `soften`: knowledge distillation of Hinton, Vinyals & Dean, 2015, arXiv:1503.02531."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Range, Space
from kdsearch.distill.method import Needs, Seen
from kdsearch.losses.softened import softened_kl


class Soften:
    """(1 − weight) · cross-entropy + weight · T² · KL(teacher ‖ student) (the paper, sec. 2).

    The defaults are those of the CIFAR-100 tables (Tian et al., 2020, arXiv:1910.10699).
    """

    name: ClassVar[str] = "soften"
    knobs: ClassVar[Space] = Space(
        {"temperature": Range(1.0, 10.0, log=True), "weight": Range(0.1, 0.95)}
    )
    options: ClassVar[Space] = Space({})
    needs = Needs(teacher=("logits",))

    def __init__(self, temperature: float = 4.0, weight: float = 0.9) -> None:
        self.temperature = temperature
        self.weight = weight

    def __call__(self, seen: Seen) -> Tensor:
        hard = F.cross_entropy(seen.logits, seen.labels)
        soft = softened_kl(seen.logits, seen.teacher_logits, self.temperature)
        return (1 - self.weight) * hard + self.weight * soft
