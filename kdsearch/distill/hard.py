"""Method `hard`: labels alone, the baseline that every other method has to beat."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Space
from kdsearch.distill.method import Needs, Seen


class Hard:
    """Cross-entropy to the labels."""

    name: ClassVar[str] = "hard"
    knobs: ClassVar[Space] = Space({})
    options: ClassVar[Space] = Space({})
    needs = Needs()

    def __call__(self, seen: Seen) -> Tensor:
        return F.cross_entropy(seen.logits, seen.labels)
