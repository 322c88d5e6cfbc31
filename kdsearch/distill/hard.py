"""Method `hard`: labels alone, the baseline that every other method has to beat."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Space
from kdsearch.output import Output


class Hard:
    """Cross-entropy to the labels."""

    name: ClassVar[str] = "hard"
    knobs: ClassVar[Space] = Space({})
    needs_teacher: ClassVar[bool] = False

    def __call__(self, student: Output, teacher: Output | None, labels: Tensor) -> Tensor:
        assert student.logits is not None
        return F.cross_entropy(student.logits.float(), labels)
