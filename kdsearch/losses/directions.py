"""Feature rows scaled to length 1: the first step of every loss of cosines."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

SHORTEST = 1e-12
"""Shorter rows have no direction."""


def directions(rows: Float[Tensor, "batch size"]) -> Float[Tensor, "batch size"]:
    """Each row over its Euclidean length; a row of zeros stays one and gets no gradient.

    Where a small constant bounds the length instead, the gradient of such a row is as large
    as the constant is small, and one dead sample ends the training.
    """
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return rows / lengths.masked_fill(lengths <= SHORTEST, math.inf)
