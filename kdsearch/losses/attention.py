"""Attention transfer: Zagoruyko & Komodakis, 2017, arXiv:1612.03928, activation-based.

As in megvii-research/mdistiller, mdistiller/distillers/AT.py: a mean of squares, where the
paper writes the norm of the difference.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from kdsearch.losses.directions import directions


def attention_distance(
    student_map: Float[Tensor, "batch student_channels student_height student_width"],
    teacher_map: Float[Tensor, "batch teacher_channels teacher_height teacher_width"],
) -> Float[Tensor, ""]:
    """(attention of the student − attention of the teacher)², mean over samples and places.

    The maps are first average-pooled to the smaller height and the smaller width of the two.
    A map of zeros attends to nothing: zeros.
    """
    sizes = zip(student_map.shape[2:], teacher_map.shape[2:], strict=True)
    height, width = (min(pair) for pair in sizes)
    student, teacher = (
        attention(F.adaptive_avg_pool2d(features, (height, width)))
        for features in (student_map, teacher_map)
    )
    return F.mse_loss(student, teacher)


def attention(
    features: Float[Tensor, "batch channels height width"],
) -> Float[Tensor, "batch places"]:
    """The mean square of the channels at each place, the whole map of length 1."""
    return directions(features.square().mean(dim=1).flatten(1))
