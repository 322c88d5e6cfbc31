"""Fair baselines for `multi_level`: labels and softened logits on the same four rotations."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Space
from kdsearch.distill.method import Needs, Seen
from kdsearch.losses.softened import softened_kl

TURNED = ("90", "180", "270")


class Hard:
    """Cross-entropy to the labels, of the upright images and their three rotations."""

    name: ClassVar[str] = "hard, 4 views"
    knobs: ClassVar[Space] = Space({})
    options: ClassVar[Space] = Space({})
    needs = Needs(views=TURNED)

    def __call__(self, seen: Seen) -> Tensor:
        return F.cross_entropy(seen.logits, seen.labels.repeat(1 + len(TURNED)))


class Soften:
    """0.1 · cross-entropy + 0.9 · T² · KL(teacher ‖ student), T = 4, over the four views."""

    name: ClassVar[str] = "soften, 4 views"
    knobs: ClassVar[Space] = Space({})
    options: ClassVar[Space] = Space({})
    needs = Needs(teacher=("logits",), views=TURNED)

    def __call__(self, seen: Seen) -> Tensor:
        hard = F.cross_entropy(seen.logits, seen.labels.repeat(1 + len(TURNED)))
        return 0.1 * hard + 0.9 * softened_kl(seen.logits, seen.teacher_logits, 4.0)
