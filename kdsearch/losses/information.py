"""Information flow: what each tap says of the labels, and which taps correspond.

Our reconstruction of Passalis, Tzelepi & Tefas, 2020, arXiv:2005.00727, whose code
(passalis/pkth) estimates no information and pairs layers by hand.
"""

from collections.abc import Sequence

from jaxtyping import Float, Int
from torch import Tensor

from kdsearch.losses.affinity import KERNELS


def quadratic_mutual_information(
    features: Float[Tensor, "batch features"],
    labels: Int[Tensor, " batch"],
    kernel: str = "cosine",
) -> Float[Tensor, ""]:
    """V_IN + V_ALL − 2 V_BTW with affinities K for the densities (Torkkola, 2003).

    V_IN is the sum of K within classes, V_ALL that of all K times the squared shares of the
    classes, V_BTW that of K from each sample to all times the share of the sample's class, each
    over batch². Zero, then, where affinities do not depend on classes: for one sample, one
    class, identical rows.
    """
    same = (labels[:, None] == labels).to(features.dtype)
    shares = same.mean(dim=1)
    weights = same + shares.mean() - 2 * shares[:, None]
    return (KERNELS[kernel](features) * weights).mean()


def matched_layers(student_flow: Sequence[float], teacher_flow: Sequence[float]) -> list[int]:
    """For each student tap the teacher tap whose information is nearest; last ↔ last.

    Of equally near ones the shallowest.
    """
    depths = range(len(teacher_flow))
    nearest = [
        min(depths, key=lambda j: (information - teacher_flow[j]) ** 2)
        for information in student_flow[:-1]
    ]
    return [*nearest, len(teacher_flow) - 1]
