"""The seam of a runtime: a network becomes a callable on arrays, as it runs when deployed."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

Array: TypeAlias = NDArray[np.float32]
Call: TypeAlias = Callable[[Array], Array]
"""Normalised images (batch, channels, height, width) to logits (batch, classes)."""


class Runtime(Protocol):
    """`name` is what a config's `latency.runtime` says."""

    @property
    def name(self) -> str: ...

    def prepare(self, module: nn.Module, example: Tensor, *, threads: int) -> Call:
        """A callable for float32 batches of the example's shape, on this machine's processor.

        Args:
            module: gives logits alone; neither moved nor changed, later changes do not show.
            example: normalised float32 images.
            threads: how many threads one call may use.
        """

    def version(self) -> str: ...
