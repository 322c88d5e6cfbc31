"""What every network hands over: one small record instead of hooks and side channels."""

from typing import NamedTuple

from torch import Tensor


class Output(NamedTuple):
    logits: Tensor | None
    """(batch, classes); None for a headless teacher."""
    feats: tuple[Tensor, ...] = ()
    """One (batch, channels, height, width) per tap, shallow to deep."""
    pooled: Tensor | None = None
    """(batch, features): what the classifier sees."""
