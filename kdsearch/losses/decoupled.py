"""Decoupled distillation: Zhao et al., 2022, arXiv:2203.08679, eq. 7.

As in megvii-research/mdistiller, mdistiller/distillers/DKD.py, by the authors.
For one sample KL(teacher ‖ student) = target_kl + (1 − teacher's probability of the true class)
· non_target_kl; the method weighs the two on their own.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from kdsearch.losses.other_classes import other_logits


def target_kl(
    student: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "batch classes"],
    labels: Int[Tensor, " batch"],
    temperature: float,
) -> Float[Tensor, ""]:
    """KL of (true class, all others) at temperature T, without T²; mean over the batch."""
    log_student = _true_or_other(student / temperature, labels)
    log_teacher = _true_or_other(teacher / temperature, labels)
    return F.kl_div(log_student, log_teacher, reduction="batchmean", log_target=True)


def non_target_kl(
    student: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "batch classes"],
    labels: Int[Tensor, " batch"],
    temperature: float,
) -> Float[Tensor, ""]:
    """KL of the softmaxes over the other classes at T, without T²; mean over the batch.

    With two classes there is one other class: exactly 0, with a gradient of zeros.
    """
    log_student = F.log_softmax(other_logits(student, labels) / temperature, dim=1)
    log_teacher = F.log_softmax(other_logits(teacher, labels) / temperature, dim=1)
    return F.kl_div(log_student, log_teacher, reduction="batchmean", log_target=True)


def decoupled_kl(
    student: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "batch classes"],
    labels: Int[Tensor, " batch"],
    temperature: float,
    alpha: float,
    beta: float,
) -> Float[Tensor, ""]:
    """T² · (alpha · target_kl + beta · non_target_kl), mean over the batch."""
    target = target_kl(student, teacher, labels, temperature)
    non_target = non_target_kl(student, teacher, labels, temperature)
    return temperature**2 * (alpha * target + beta * non_target)


def _true_or_other(
    logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]
) -> Float[Tensor, "batch 2"]:
    """Log-probabilities of the true class and of all others, finite however sure the row is."""
    true = logits.gather(1, labels[:, None])
    other = other_logits(logits, labels).logsumexp(dim=1, keepdim=True)
    return F.log_softmax(torch.cat([true, other], dim=1), dim=1)
