"""Correlation of predictions: Huang et al., 2022, arXiv:2205.10536 (DIST).

As in hunto/image_classification_sota, lib/models/losses/dist_kd.py, by the authors.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

EPSILON = 1e-8
"""Added to the product of two lengths, as in the authors' code."""


def inter_class_distance(
    student: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "batch classes"],
    temperature: float,
) -> Float[Tensor, ""]:
    """T² · (1 − correlation over the classes of a sample), mean over the batch."""
    distance = 1 - _correlations(
        F.softmax(student / temperature, dim=1), F.softmax(teacher / temperature, dim=1)
    )
    return distance.mean() * temperature**2


def intra_class_distance(
    student: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "batch classes"],
    temperature: float,
) -> Float[Tensor, ""]:
    """T² · (1 − correlation over the samples of a class), mean over the classes.

    A sample alone has nothing to correlate with: 0, with a gradient of zeros.
    """
    if len(student) == 1:
        return 0 * student.sum()
    distance = 1 - _correlations(
        F.softmax(student / temperature, dim=1).T, F.softmax(teacher / temperature, dim=1).T
    )
    return distance.mean() * temperature**2


def _correlations(
    a: Float[Tensor, "n size"], b: Float[Tensor, "n size"]
) -> Float[Tensor, " n"]:
    """Pearson's, row by row; a constant row correlates with nothing: 0, without a gradient."""
    constant = _is_constant(a) | _is_constant(b)
    a = a - a.mean(dim=1, keepdim=True)
    b = b - b.mean(dim=1, keepdim=True)
    lengths: Tensor = torch.linalg.vector_norm(a, dim=1) * torch.linalg.vector_norm(b, dim=1)
    return ((a * b).sum(dim=1) / (lengths + EPSILON)).masked_fill(constant, 0)


def _is_constant(rows: Float[Tensor, "n size"]) -> Bool[Tensor, " n"]:
    """Up to rounding: what is left of rounding the mean must not count as a shape."""
    largest, smallest = rows.amax(dim=1), rows.amin(dim=1)
    return largest - smallest <= 8 * torch.finfo(rows.dtype).eps * largest
