"""The seam of a student family: what the rest of kdsearch may ask of one."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.output import Output


class Segment(NamedTuple):
    """One of the pieces that a student is made of, from images to logits.

    Students whose first keys agree compute the same up to there.
    """

    key: tuple[int, ...]
    """All that the piece depends on beyond the pieces before it."""
    carve: Callable[[], nn.Module]
    """The piece, free-standing and in train mode; tensors in and out, the last gives logits."""


class Supernet(Protocol):
    """Every student of a space in one set of shared weights; the choice is an argument."""

    def __call__(self, images: Tensor, architecture: Architecture) -> Output:
        """Output of one student; images are (batch, channels, height, width)."""

    def forward_from(self, stage: int, maps: Tensor, architecture: Architecture) -> Output:
        """What the stages after the first `stage` ones make of a map in their place.

        Law: `net.forward_from(s, net(x, a).feats[s - 1], a)` gives the logits of `net(x, a)`;
        feats are those of the stages that ran.
        """

    def shapes(self, architecture: Architecture, side: int) -> Sequence[tuple[int, int, int]]:
        """(channels, height, width) of each of the feats, for images of `side` pixels.

        Computes nothing, so that it may be asked of every path of a training.
        """

    def segments(self, architecture: Architecture) -> Sequence[Segment]:
        """The pieces of one student; carved and chained they compute what `carve` does."""

    def carve(self, architecture: Architecture) -> nn.Module:
        """A free-standing copy of one student: sliced weights and statistics, nothing elastic.

        Law: `net.carve(a)(x).logits == net(x, a).logits`, in eval mode and in train mode.
        """


class Family(Protocol):
    """Builds the networks of one kind; `name` is what a space file's `family:` says."""

    @property
    def name(self) -> str: ...

    @property
    def shares_weights(self) -> bool:
        """Whether there is a supernet: without one, students are trained each by itself."""

    def check(self, space: Space) -> None:
        """Raises UserError unless the space's axes are this family's."""

    def supernet(self, space: Space, channels: int, classes: int) -> nn.Module:
        """A fresh `Supernet` for images of `channels` channels."""

    def student(self, architecture: Architecture, channels: int, classes: int) -> nn.Module:
        """One student with fresh weights; its forward gives an Output."""

    def wider(self, architecture: Architecture, factor: float) -> Architecture:
        """The same depths, every width times `factor`, rounded; may lie outside the space."""
