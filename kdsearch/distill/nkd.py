"""Method `nkd`: normalised knowledge distillation, Yang et al., 2023, arXiv:2303.13005;
authors' code yzd-v/cls_KD, mmcls/models/dis_losses/nkd.py.
"""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Range, Space
from kdsearch.distill.method import Needs, Seen
from kdsearch.losses.non_target import normalized_kd


class NKD:
    """labels · cross-entropy + target + gamma · T² · non-target of normalised logits.

    The two terms of `normalized_kd`, which are cross-entropies: where student and teacher
    agree they are least, not 0. Gamma 3.5 and temperature 3 are the authors' for CIFAR-100
    (configs/distillers/cifar100/res34_distill_res18_cifar.py), 1.5 and 1 their loss's own
    defaults, for ImageNet.
    """

    name: ClassVar[str] = "nkd"
    knobs: ClassVar[Space] = Space(
        {"temperature": Range(1.0, 4.0), "gamma": Range(0.5, 4.0, log=True)}
    )
    options: ClassVar[Space] = Space({"labels": Range(0.0, 4.0)})
    needs = Needs(teacher=("logits",))

    def __init__(
        self, temperature: float = 3.0, gamma: float = 3.5, labels: float = 1.0
    ) -> None:
        self.temperature = temperature
        self.gamma = gamma
        self.labels = labels

    def __call__(self, seen: Seen) -> Tensor:
        hard = F.cross_entropy(seen.logits, seen.labels)
        soft = normalized_kd(
            seen.logits, seen.teacher_logits, seen.labels, self.temperature, self.gamma
        )
        return self.labels * hard + soft
