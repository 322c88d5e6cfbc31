"""The seam of a student family: what the rest of kdsearch may ask of one."""

from typing import Protocol

from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.output import Output


class Supernet(Protocol):
    """Every student of a space in one set of shared weights; the choice is an argument."""

    def __call__(self, images: Tensor, architecture: Architecture) -> Output:
        """Output of one student; images are (batch, channels, height, width)."""

    def carve(self, architecture: Architecture) -> nn.Module:
        """A free-standing copy of one student: sliced weights and statistics, nothing elastic.

        Law: `net.carve(a)(x).logits == net(x, a).logits`, in eval mode and in train mode.
        """


class Family(Protocol):
    """Builds the networks of one kind; `name` is what a space file's `family:` says."""

    @property
    def name(self) -> str: ...

    def check(self, space: Space) -> None:
        """Raises UserError unless the space's axes are this family's."""

    def supernet(self, space: Space, channels: int, classes: int) -> nn.Module:
        """A fresh `Supernet` for images of `channels` channels."""

    def student(self, architecture: Architecture, channels: int, classes: int) -> nn.Module:
        """One student with fresh weights; its forward gives an Output."""

    def wider(self, architecture: Architecture, factor: float) -> Architecture:
        """The same depths, every width times `factor`, rounded; may lie outside the space."""
