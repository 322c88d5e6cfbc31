"""Relational distillation: Park et al., 2019, arXiv:1904.05068.

As in megvii-research/mdistiller, mdistiller/distillers/RKD.py. Rows are compared within
a batch, so the two networks' features may differ in number.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from kdsearch.losses.directions import directions


def distance_distance(
    student: Float[Tensor, "batch student_features"],
    teacher: Float[Tensor, "batch teacher_features"],
) -> Float[Tensor, ""]:
    """Smooth L1 of the pairs' distances, each over its network's mean; mean over B² pairs.

    The mean distance is over two different samples; if all are equal, all distances are 0. So
    is the loss of a sample alone, with a gradient of zeros.
    """
    return F.smooth_l1_loss(_relative_distances(student), _relative_distances(teacher))


def angle_distance(
    student: Float[Tensor, "batch student_features"],
    teacher: Float[Tensor, "batch teacher_features"],
    limit: int = 128,
) -> Float[Tensor, ""]:
    """Smooth L1 of the cosines at the corners of all triples, mean over B³ triples.

    Ours: of a batch larger than `limit` only the first rows count. So no tensor in between is
    larger than limit³ numbers (128: 8 MiB in float32) or limit² · features (512: 32 MiB).
    Equal samples have no direction between them: cosine 0, without a gradient. A sample alone
    gives 0, with a gradient of zeros.
    """
    return F.smooth_l1_loss(_cosines(student[:limit]), _cosines(teacher[:limit]))


def _relative_distances(rows: Float[Tensor, "batch size"]) -> Float[Tensor, "batch batch"]:
    # Differences, not the Gram matrix: exact and without a gradient where rows are equal.
    distances = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    pairs = max(len(rows) * (len(rows) - 1), 1)
    return distances / (distances.sum() / pairs).clamp(min=1e-12)


def _cosines(rows: Float[Tensor, "batch size"]) -> Float[Tensor, "batch batch batch"]:
    """Entry (j, i, k): the cosine of the angle at j between i and k."""
    apart = rows[None, :] - rows[:, None]
    unit = directions(apart.flatten(0, 1)).view_as(apart)
    return unit @ unit.transpose(1, 2)
