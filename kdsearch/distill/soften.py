"""Method `soften`: knowledge distillation of Hinton, Vinyals & Dean, 2015, arXiv:1503.02531."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Range, Space
from kdsearch.losses.softened import softened_kl
from kdsearch.output import Output


class Soften:
    """(1 − weight) · cross-entropy + weight · T² · KL(teacher ‖ student) (the paper, sec. 2).

    The defaults are those of the CIFAR-100 tables (Tian et al., 2020, arXiv:1910.10699).
    """

    name: ClassVar[str] = "soften"
    knobs: ClassVar[Space] = Space(
        {"temperature": Range(1.0, 10.0, log=True), "weight": Range(0.1, 0.95)}
    )
    needs_teacher: ClassVar[bool] = True

    def __init__(self, temperature: float = 4.0, weight: float = 0.9) -> None:
        self.temperature = temperature
        self.weight = weight

    def __call__(self, student: Output, teacher: Output | None, labels: Tensor) -> Tensor:
        assert student.logits is not None and teacher is not None
        assert teacher.logits is not None
        hard = F.cross_entropy(student.logits.float(), labels)
        soft = softened_kl(student.logits, teacher.logits, self.temperature)
        return (1 - self.weight) * hard + self.weight * soft
