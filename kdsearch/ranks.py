"""The processes that train together: which of them this is, and what the first one says.

Ours. They are those of torch's default process group, which whoever starts them sets up
(pipeline/team.py); without one, or with one alone, every function here does nothing.
"""

from collections.abc import Iterable
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

Value = TypeVar("Value")


def world() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is; 0 is the one that writes files and tells of progress."""
    return dist.get_rank() if world() > 1 else 0


def meet() -> None:
    """Returns when all have come here."""
    if world() > 1:
        dist.all_reduce(torch.zeros(1))  # on the processor: gloo, whatever trains


def first_says(value: Value) -> Value:
    """What the first process gives here."""
    if world() == 1:
        return value
    told = [value]
    dist.broadcast_object_list(told, device=torch.device("cpu"))
    return told[0]


@torch.no_grad()
def as_first(tensors: Iterable[Tensor]) -> None:
    """Fills the tensors with those of the first process, in one message for each kind."""
    if world() == 1:
        return
    kinds: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
    for tensor in tensors:
        kinds.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    for (dtype, _), alike in kinds.items():
        sent = torch.uint8 if dtype == torch.bool else dtype
        flat = torch.cat([tensor.reshape(-1).to(sent) for tensor in alike])
        dist.broadcast(flat, 0)
        parts = torch.split(flat, [tensor.numel() for tensor in alike])
        for tensor, part in zip(alike, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))
