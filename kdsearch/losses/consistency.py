"""Distance to what was said of the same images before: the consistency term of SoTeacher
(Dong, Liu & Shang, 2022, arXiv:2206.06661), as shwinshaker/SoTeacher computes it.
"""

from jaxtyping import Bool, Float
from torch import Tensor


def consistency(
    said: Float[Tensor, "batch classes"],
    remembered: Float[Tensor, "batch classes"],
    known: Bool[Tensor, " batch"],
) -> Float[Tensor, ""]:
    """Squared difference of probabilities, summed over classes, mean over the whole batch.

    Images of which nothing is remembered yet count 0.
    """
    distances = (said - remembered).square().sum(1)
    return (distances * known.to(distances.dtype)).mean()
