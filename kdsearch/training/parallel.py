"""Data-parallel training: equal shares of each batch, gradients averaged once a step.

No wrapper around the network: gradients of all students of a step accumulate first, then travel
in one message, as in the code of Yu & Huang, 2019, arXiv:1903.05134; a wrapper would send one
for each backward, and its hooks expect one forward for each backward. Batch norm sees each
process's own share; the statistics of the first are kept.
"""

import torch
import torch.distributed as dist
from torch import Tensor, nn

from kdsearch.errors import KdsearchError, UserError
from kdsearch.ranks import rank, world

ALIKE = 1e-6
"""Relative difference of weights' sums above which processes have drifted apart."""


def own_share(rows: int) -> slice:
    """Which rows of a batch of all processes are this one's.

    Raises:
        UserError: there are no equal shares, of which a mean of means is the mean of all.
    """
    share, left = divmod(rows, world())
    if left:
        raise UserError(
            f"a batch of {rows} images cannot be shared evenly by {world()} processes; "
            f"set batch_size to a multiple of {world()}"
        )
    return slice(rank() * share, (rank() + 1) * share)


@torch.no_grad()
def average_gradients(module: nn.Module) -> None:
    """Replaces each gradient by its mean over all processes.

    One all-reduce, over all that is trained: its length is the same whatever was used. What
    was not used has no gradient here, and, as paths are the same everywhere, nowhere else.
    """
    if world() == 1:
        return
    trained = [p for p in module.parameters() if p.requires_grad]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat)
    flat /= world()
    parts = torch.split(flat, [p.numel() for p in trained])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view(gradient.shape))


@torch.no_grad()
def averaged(values: Tensor) -> Tensor:
    """The mean of equal-shaped values over all processes."""
    if world() == 1:
        return values
    total = values.clone()
    dist.all_reduce(total)
    return total / world()


@torch.no_grad()
def gathered(rows: Tensor) -> Tensor:
    """The rows of all processes, one after the other; each brings as many."""
    if world() == 1:
        return rows
    parts = [torch.empty_like(rows) for _ in range(world())]
    dist.all_gather(parts, rows.contiguous())
    return torch.cat(parts)


@torch.no_grad()
def check_alike(module: nn.Module, step: int) -> None:
    """Raises KdsearchError where processes hold different weights after `step` steps."""
    if world() == 1:
        return
    sums = torch.stack([p.abs().sum(dtype=torch.float64) for p in module.parameters()]).sum()
    ends = torch.stack([sums, -sums])
    dist.all_reduce(ends, dist.ReduceOp.MAX)
    highest, lowest = float(ends[0]), -float(ends[1])
    if highest - lowest > ALIKE * highest:
        raise KdsearchError(
            f"after step {step} the processes' weights differ (sums {lowest} to {highest}): "
            "they no longer train one network"
        )
