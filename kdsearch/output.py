"""What every network hands over: one small record instead of hooks and side channels."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor


class Output(NamedTuple):
    logits: Tensor | None
    """(batch, classes); None for a headless teacher."""
    feats: tuple[Tensor, ...] = ()
    """One (batch, channels, height, width) per tap, shallow to deep."""
    pooled: Tensor | None = None
    """(batch, features): what the classifier sees."""


def each(out: Output, change: Callable[[Tensor], Tensor]) -> Output:
    """The output with every tensor changed alike."""
    return Output(
        None if out.logits is None else change(out.logits),
        tuple(change(f) for f in out.feats),
        None if out.pooled is None else change(out.pooled),
    )


def single(out: Output) -> Output:
    """The output in float32, for losses outside autocast."""
    return each(out, Tensor.float)


def detached(out: Output) -> Output:
    """The output without a graph."""
    return each(out, Tensor.detach)
