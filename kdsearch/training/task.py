"""The seam of the loop: what is trained, what it wants to see, and what one batch costs it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from torch import Tensor, nn

from kdsearch.distill.method import View
from kdsearch.output import Output


@dataclass(frozen=True, slots=True)
class Shows:
    """What a task wants of a feed beside the batch of a step."""

    views: tuple[View, ...] = ()
    ahead: int = 0
    """Further batches, for a teacher that takes more steps than the student."""
    told: bool = False
    """Whether stored outputs of the teacher serve in its place."""


class Batch(NamedTuple):
    """What a step sees; images are normalised."""

    images: Tensor
    """(blocks · batch, channels, height, width): the images, then each view's."""
    labels: Tensor
    """int64 (batch,)."""
    step: int = 0
    progress: float = 0.0
    """Share of the whole training that lies behind, in [0, 1)."""
    opens_epoch: bool = False
    indices: Tensor | None = None
    """int64 (batch,): positions in the training set, where the feed knows them."""
    ahead: tuple[tuple[Tensor, Tensor], ...] = ()
    """Images and labels of further batches."""
    taught: Output | None = None
    """What the teacher says of the images, where that is stored."""


class Sample(NamedTuple):
    """What a method's modules are sized by, of the data."""

    images: Tensor
    """(2, channels, height, width), normalised."""
    classes: int
    train_images: int
    batch_size: int
    taught: Output | None = None
    """What the teacher says of two images, where that is stored."""


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
    def players(self) -> Sequence[Sequence[nn.Module]]:
        """Parts of the module whose gradients are clipped each on their own. Of the first, from
        which the network that ships is made, a running average is kept."""

    @property
    def classes(self) -> int: ...

    @property
    def shows(self) -> Shows: ...

    def losses(self, batch: Batch) -> Iterator[Loss]:
        """One loss for each optimiser step that the batch is worth, the student's first."""
