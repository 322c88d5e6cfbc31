"""Similarity-preserving distillation: Tung & Mori, 2019, arXiv:1907.09682.

As in megvii-research/mdistiller, mdistiller/distillers/SP.py.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from kdsearch.losses.directions import directions


def similarity_distance(
    student: Float[Tensor, "batch student_features"],
    teacher: Float[Tensor, "batch teacher_features"],
) -> Float[Tensor, ""]:
    """Squared difference of the similarity matrices, mean over the B² entries.

    A map is flattened to a row first. A row of zeros is similar to none: zeros in its row.
    """
    return F.mse_loss(similarities(student), similarities(teacher))


def similarities(rows: Float[Tensor, "batch size"]) -> Float[Tensor, "batch batch"]:
    """Scalar products of all pairs, each row of them of length 1."""
    return directions(rows @ rows.T)
