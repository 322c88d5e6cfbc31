"""The seam of the loop: what is trained, and what one batch costs it."""

from typing import NamedTuple, Protocol

from torch import Tensor, nn


class Loss(NamedTuple):
    total: Tensor
    """What is minimised: a scalar with a graph."""
    cross_entropy: Tensor
    """Of the (largest) student to the labels, without a graph: says if it left chance."""


class Task(Protocol):
    @property
    def module(self) -> nn.Module:
        """All that is trained: its parameters and buffers are what a checkpoint holds."""

    @property
    def classes(self) -> int: ...

    def loss(self, images: Tensor, labels: Tensor, step: int) -> Loss:
        """Loss of a normalised batch (batch, channels, height, width) at an optimiser step."""
