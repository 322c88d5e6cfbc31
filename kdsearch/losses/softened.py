"""Softened logits: Hinton, Vinyals & Dean, 2015, arXiv:1503.02531, eq. 1 and sec. 2."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def softened_kl(
    student: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "batch classes"],
    temperature: float,
) -> Float[Tensor, ""]:
    """T² · KL(teacher ‖ student) of the softmaxes at temperature T, mean over the batch.

    T² keeps the gradient's size independent of T (the paper, end of sec. 2).
    """
    log_student = F.log_softmax(student / temperature, dim=1)
    log_teacher = F.log_softmax(teacher / temperature, dim=1)
    divergence = F.kl_div(log_student, log_teacher, reduction="batchmean", log_target=True)
    return divergence * temperature**2
