"""Knowledge alignment: Ding et al., 2020, arXiv:2012.00573; ifding/DLKD, helper/losses.py."""

from jaxtyping import Float
from torch import Tensor

from kdsearch.losses.directions import directions


def alignment_distance(
    student: Float[Tensor, "batch features"],
    teacher: Float[Tensor, "batch features"],
) -> Float[Tensor, ""]:
    """2 − 2 cos(student row, teacher row), mean over rows: in [0, 4].

    It is the squared distance of the two directions. The head that brings the student's
    features to the teacher's number comes before. A row of zeros in either counts 2.
    """
    cosines = (directions(student) * directions(teacher)).sum(dim=1)
    return (2 - 2 * cosines).mean()
