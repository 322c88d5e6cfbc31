"""Method `alpha_divergence`: AlphaNet's adaptive alpha-divergence (Wang et al., 2021,
arXiv:2102.07954), made for the students of a supernet, which learn without labels.
"""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Range, Space
from kdsearch.distill.method import Needs, Seen
from kdsearch.losses.alpha_divergence import adaptive_alpha_divergence


class AlphaDivergence:
    """labels · cross-entropy + mean of the larger of D_low and D_high(teacher ‖ student).

    The paper's low, high and clip; `low=1@high=1` is the plain KL of in-place distillation.
    Labels are ours, and off: the paper gives them to the largest student alone.
    """

    name: ClassVar[str] = "alpha_divergence"
    knobs: ClassVar[Space] = Space({"low": Range(-1.0, 1.0), "high": Range(0.0, 2.0)})
    options: ClassVar[Space] = Space({"clip": Range(1.0, 100.0), "labels": Range(0.0, 1.0)})
    needs = Needs(teacher=("logits",))

    def __init__(
        self, low: float = -1.0, high: float = 1.0, clip: float = 5.0, labels: float = 0.0
    ) -> None:
        self.low = low
        self.high = high
        self.clip = clip
        self.labels = labels

    def __call__(self, seen: Seen) -> Tensor:
        loss = adaptive_alpha_divergence(
            seen.logits, seen.teacher_logits, self.low, self.high, self.clip
        )
        if self.labels == 0:
            return loss
        return loss + self.labels * F.cross_entropy(seen.logits, seen.labels)
