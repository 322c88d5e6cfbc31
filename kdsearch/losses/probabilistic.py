"""Probabilistic knowledge transfer: Passalis & Tefas, 2018, arXiv:1803.10837, cosine kernel.

As in passalis/probabilistic_kt, nn/pkt.py.
"""

from jaxtyping import Float
from torch import Tensor

from kdsearch.losses.affinity import cosine, row_probabilities

EPSILON = 1e-7


def probabilistic_kl(
    student: Float[Tensor, "batch student_features"],
    teacher: Float[Tensor, "batch teacher_features"],
) -> Float[Tensor, ""]:
    """KL(teacher ‖ student) of the samples' affinities, mean over the B² entries.

    So it shrinks as 1 / B: the usual weight of 30000 is for a batch of 64. A row of zeros
    is equally near to all; a sample alone gives 0, with a gradient of zeros.
    """
    near_student = row_probabilities(cosine(student, EPSILON))
    near_teacher = row_probabilities(cosine(teacher, EPSILON))
    ratio = (near_teacher + EPSILON) / (near_student + EPSILON)
    return (near_teacher * ratio.log()).mean()
