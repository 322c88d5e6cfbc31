"""The seam of a runtime: a network becomes a callable on arrays, as it runs when deployed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

Array: TypeAlias = NDArray[np.float32]
Call: TypeAlias = Callable[[Array], Array]
"""Normalised images (batch, channels, height, width) to logits (batch, classes)."""


@dataclass(frozen=True, slots=True)
class Calling:
    """How a network is called."""

    threads: int = 1
    """So many one call may use."""
    precision: str = "float32"
    """Of weights and sums: float32 or bf16; images and logits are float32 all the same."""
    layout: str = "contiguous"
    """Of images and weights in memory: contiguous or channels_last."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A network ready to be called."""

    call: Call
    seconds: Callable[[Array], float] | None = None
    """Of one call, where the device's own clock tells better than the caller's."""


class Runtime(Protocol):
    """`name` is what a config's `latency.runtime` says."""

    @property
    def name(self) -> str: ...

    @property
    def precisions(self) -> tuple[str, ...]:
        """Those it can be called with; so `layouts`."""

    @property
    def layouts(self) -> tuple[str, ...]: ...

    @property
    def on_gpu(self) -> bool:
        """Whether it runs there; then one thread calls it, and that is all threads do."""

    def lacks(self, calling: Calling) -> str:
        """What is not there to call a network so, and the way out, in a line; or nothing."""

    def prepare(self, module: nn.Module, example: Tensor, calling: Calling) -> Prepared:
        """A callable for float32 batches of the example's shape.

        Args:
            module: gives logits alone; neither moved nor changed, later changes do not show.
            example: normalised float32 images.
            calling: one that is not refused, see `ready`.
        """

    def version(self) -> str:
        """Of what is there; only where it lacks nothing."""
