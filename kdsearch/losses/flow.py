"""Information flow, one pair of taps: Passalis, Tzelepi & Tefas, 2020, arXiv:2005.00727;
authors' code passalis/pkth, nn/pkt_transfer.py, prob_loss."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from kdsearch.losses.affinity import KERNELS, row_probabilities

EPS = 1e-6
"""The authors': inside the logarithm of `kl`."""


def kl(
    student: Float[Tensor, "batch others"], teacher: Float[Tensor, "batch others"]
) -> Float[Tensor, "batch others"]:
    """p log(ε + p / (ε + q)), p the teacher's."""
    return teacher * torch.log(EPS + teacher / (EPS + student))


def absolute(
    student: Float[Tensor, "batch others"], teacher: Float[Tensor, "batch others"]
) -> Float[Tensor, "batch others"]:
    """|p − q|: its row sum is twice the total variation."""
    return (teacher - student).abs()


def squared(
    student: Float[Tensor, "batch others"], teacher: Float[Tensor, "batch others"]
) -> Float[Tensor, "batch others"]:
    """(p − q)²."""
    return (teacher - student).square()


def jeffreys(
    student: Float[Tensor, "batch others"], teacher: Float[Tensor, "batch others"]
) -> Float[Tensor, "batch others"]:
    """(p − q)(log p − log q): KL(p ‖ q) + KL(q ‖ p) in a row's sum."""
    return (teacher - student) * (teacher.log() - student.log())


def exponential(
    student: Float[Tensor, "batch others"], teacher: Float[Tensor, "batch others"]
) -> Float[Tensor, "batch others"]:
    """p (log p − log q)², p the teacher's: the standard definition, and the authors'."""
    return teacher * (teacher.log() - student.log()).square()


def kagan(
    student: Float[Tensor, "batch others"], teacher: Float[Tensor, "batch others"]
) -> Float[Tensor, "batch others"]:
    """(p − q)² / p, p the teacher's: as in the authors' code, twice the standard definition."""
    return (teacher - student).square() / teacher


Divergence = Callable[[Tensor, Tensor], Tensor]

DIVERGENCES: Mapping[str, Divergence] = MappingProxyType(
    {
        "kl": kl,
        "abs": absolute,
        "squared": squared,
        "jeffreys": jeffreys,
        "exponential": exponential,
        "kagan": kagan,
    }
)
"""By name: (student's, teacher's row probabilities) to the terms `flow_distance` adds up."""


def flow_distance(
    student: Float[Tensor, "batch student_features"],
    teacher: Float[Tensor, "batch teacher_features"],
    kernels: tuple[str, ...] = ("cosine", "student_t"),
    divergence: str = "jeffreys",
    include_diagonal: bool = True,
    reduction: Literal["mean", "batchmean"] = "mean",
) -> Float[Tensor, ""]:
    """Divergence of the rows of probabilities that each kernel gives, summed over kernels.

    `mean` is over all entries, as in the authors' code, and shrinks like 1 / batch; `batchmean`
    sums a row and is a mean over rows. A batch of one gives 0. The authors' code keeps the
    diagonal, the paper is said to leave it out.

    Args:
        kernels: names in `KERNELS`; these two with `jeffreys` are the authors' `combined`.
        divergence: a name in `DIVERGENCES`.
    """
    total = student.new_zeros(())
    for kernel in kernels:
        of_student, of_teacher = (
            row_probabilities(KERNELS[kernel](features), include_diagonal)
            for features in (student, teacher)
        )
        terms = DIVERGENCES[divergence](of_student, of_teacher)
        total = total + (terms.mean() if reduction == "mean" else terms.sum(dim=1).mean())
    return total
