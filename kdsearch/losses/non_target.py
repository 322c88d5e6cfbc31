"""Normalised distillation: Yang et al., 2023, arXiv:2303.13005.

As in yzd-v/cls_KD, mmcls/models/dis_losses/nkd.py, by the authors.
"""

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from kdsearch.losses.other_classes import other_logits


def normalized_kd(
    student: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "batch classes"],
    labels: Int[Tensor, " batch"],
    temperature: float,
    gamma: float,
) -> Float[Tensor, ""]:
    """−p_teacher[y] · log p_student[y] + gamma · T² · cross-entropy of the other classes.

    The first at temperature 1; the second, of the softmaxes over all classes but y, at T. Both
    are summed over classes, mean over the batch. Not 0 where student and teacher agree. Two
    classes leave one other: the second term is 0, with a gradient of zeros.
    """
    true = labels[:, None]
    log_true = F.log_softmax(student, dim=1).gather(1, true)
    target = -(F.softmax(teacher, dim=1).gather(1, true) * log_true).mean()
    log_others = F.log_softmax(other_logits(student, labels) / temperature, dim=1)
    others = F.softmax(other_logits(teacher, labels) / temperature, dim=1)
    non_target = -(others * log_others).sum(dim=1).mean()
    return target + gamma * temperature**2 * non_target
