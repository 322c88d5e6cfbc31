"""Affinities of a batch's samples: kernels, and rows of probabilities made of them.

As in passalis/pkth, nn/pkt_transfer.py, the code of Passalis, Tzelepi & Tefas, 2020,
arXiv:2005.00727; the cosine kernel is that of Passalis & Tefas, 2018, arXiv:1803.10837, too.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from kdsearch.losses.directions import directions

FLOOR = 1e-6
"""Ours: the least affinity of two samples, so that every probability has a logarithm."""


def pairwise_distances(rows: Float[Tensor, "batch size"]) -> Float[Tensor, "batch batch"]:
    """√(max(‖a‖² + ‖b‖² − 2 a·b, 0) + 1e-6): Euclidean, never quite zero.

    The diagonal's square is 0 without being computed: its rounding in float32 would be larger
    than 1e-6.
    """
    squares = rows.square().sum(1)
    squared = squares[:, None] + squares[None, :] - 2 * rows @ rows.T
    own = torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    return (squared.masked_fill(own, 0.0).clamp(min=0) + 1e-6).sqrt()


def cosine(
    rows: Float[Tensor, "batch size"], epsilon: float = 1e-6
) -> Float[Tensor, "batch batch"]:
    """(cos + 1) / 2 of rows divided by their length + epsilon.

    A row of zeros is at 1/2 from all, itself included, and has no gradient.
    """
    length: Tensor = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    unit = directions(rows) * (length / (length + epsilon))
    return (unit @ unit.T + 1) / 2


def student_t(rows: Float[Tensor, "batch size"]) -> Float[Tensor, "batch batch"]:
    """1 / (1 + d)."""
    return 1 / (1 + pairwise_distances(rows))


def cauchy(rows: Float[Tensor, "batch size"]) -> Float[Tensor, "batch batch"]:
    """1 / (1 + d²)."""
    return 1 / (1 + pairwise_distances(rows).square())


def rbf(rows: Float[Tensor, "batch size"]) -> Float[Tensor, "batch batch"]:
    """exp(−d), the distance itself, not its square: for rows whose distances are about one."""
    return torch.exp(-pairwise_distances(rows))


def adaptive_rbf(rows: Float[Tensor, "batch size"]) -> Float[Tensor, "batch batch"]:
    """exp(−d / mean d); no gradient flows through the mean, taken over all B² pairs."""
    distances = pairwise_distances(rows)
    return torch.exp(-distances / distances.mean().detach())


Kernel = Callable[[Tensor], Tensor]

KERNELS: Mapping[str, Kernel] = MappingProxyType(
    {
        "cosine": cosine,
        "student_t": student_t,
        "cauchy": cauchy,
        "rbf": rbf,
        "adaptive_rbf": adaptive_rbf,
    }
)
"""Affinities by name: features (batch, size) to a kernel (batch, batch)."""


def row_probabilities(
    kernel: Float[Tensor, "batch batch"], include_diagonal: bool = True
) -> Float[Tensor, "batch others"]:
    """K_ij / Σ_j K_ij with K at least `FLOOR`: rows sum to one, every entry is positive.

    The authors' code keeps the diagonal (B × B). Without it the entries are cut out, none left
    at zero (B × (B − 1)); a sample alone in its batch keeps its own: one row, [1].
    """
    batch = len(kernel)
    affinity = kernel.clamp(min=FLOOR)
    if not include_diagonal and batch > 1:
        others = ~torch.eye(batch, dtype=torch.bool, device=kernel.device)
        affinity = affinity[others].view(batch, batch - 1)
    return affinity / affinity.sum(dim=1, keepdim=True)
