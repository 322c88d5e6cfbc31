"""Ranked logits, the DSR of LightSKD: Wang et al., 2023, arXiv:2305.09183; authors' code
xucong-parsifal/LightSKD, train.py."""

from jaxtyping import Float
from torch import Tensor

from kdsearch.losses.softened import softened_kl


def ranked_kl(
    student: Float[Tensor, "batch classes"],
    shape: Float[Tensor, "batch classes"],
    temperature: float,
) -> Float[Tensor, ""]:
    """T² · KL(sorted shape ‖ sorted student) of the softmaxes at T, mean over rows.

    Each row is sorted by itself, so only the shape of the ranked logits counts, not which class
    has which rank.

    Args:
        shape: logits whose ranked form is learned; the authors': the mini-batch before's.
    """
    return softened_kl(student.sort(dim=1).values, shape.sort(dim=1).values, temperature)
