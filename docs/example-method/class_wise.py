"""Method `class_wise`: class-wise self-knowledge distillation, Yun et al., 2020,
arXiv:2003.13964; authors' code alinlab/cs-kd."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Range, Space
from kdsearch.distill.method import Needs, Seen
from kdsearch.losses.softened import softened_kl


class ClassWise:
    """Cross-entropy + weight · T² · KL(what is said of another image of the class ‖ student).

    T = 4 and weight 1 are the authors'. Ours: one forward of both images, in whose batch
    normalisation they meet; the authors run the other one by itself.
    """

    name: ClassVar[str] = "class_wise"
    knobs: ClassVar[Space] = Space(
        {"temperature": Range(1.0, 8.0, log=True), "weight": Range(0.25, 4.0, log=True)}
    )
    options: ClassVar[Space] = Space({})
    needs = Needs(views=("same class",))

    def __init__(self, temperature: float = 4.0, weight: float = 1.0) -> None:
        self.temperature, self.weight = temperature, weight

    def __call__(self, seen: Seen) -> Tensor:
        own, partner = seen.logits.split(len(seen.labels))
        alike = softened_kl(own, partner.detach(), self.temperature)
        return F.cross_entropy(own, seen.labels) + self.weight * alike
