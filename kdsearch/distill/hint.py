"""Method `hint`: FitNets, Romero et al., 2015, arXiv:1412.6550, sec. 2; trained in one stage as
in megvii-research/mdistiller, mdistiller/distillers/FitNet.py, where the paper has two.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.space import Choice, Range, Space
from kdsearch.distill.method import Needs, Probe, Seen
from kdsearch.losses.matching import POLICIES
from kdsearch.nets.projection import Projection


class Hint:
    """labels · cross-entropy + weight · mean square of (projected student − teacher) map.

    1 and 100 are mdistiller's for CIFAR-100 (mdistiller/engine/cfg.py), and so is the pair:
    the middle one, the second of three stages (ours: of four the second, of two the first).
    `layers` says which maps make pairs (losses/matching.py; ours but for one to one from the
    deep end). `Projection` is mdistiller's regressor with group instead of batch normalisation,
    for students of any width.
    """

    name: ClassVar[str] = "hint"
    knobs: ClassVar[Space] = Space({"weight": Range(10.0, 1000.0, log=True)})
    options: ClassVar[Space] = Space(
        {"labels": Range(0.0, 4.0), "layers": Choice(tuple(POLICIES))}
    )

    def __init__(
        self, weight: float = 100.0, labels: float = 1.0, layers: str = "stage-end"
    ) -> None:
        self.weight = weight
        self.labels = labels
        self.layers = layers
        self.needs = Needs(
            teacher=("feats",), student=("logits", "feats"), parts=self.projection
        )

    def projection(self, probe: Probe) -> nn.Module:
        assert probe.teacher is not None
        student, teacher = self.middle(probe.student.feats, probe.teacher.feats)
        return Projection(shape(student), shape(teacher))

    def middle(
        self, student: Sequence[Tensor], teacher: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """The maps of the pair in the middle, the shallower of two."""
        pairs = POLICIES[self.layers](len(student), len(teacher))
        i, j = pairs[(len(pairs) - 1) // 2]
        return student[i], teacher[j]

    def __call__(self, seen: Seen) -> Tensor:
        student, teacher = self.middle(seen.student.feats, seen.taught.feats)
        hard = F.cross_entropy(seen.logits, seen.labels)
        return self.labels * hard + self.weight * F.mse_loss(seen.parts(student), teacher)


def shape(maps: Tensor) -> tuple[int, int, int]:
    """(channels, height, width)."""
    _, channels, height, width = maps.shape
    return channels, height, width
