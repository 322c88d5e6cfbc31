"""The seam of a sampling policy: which students a step of the supernet trains."""

import random
from collections.abc import Callable
from typing import NamedTuple, Protocol

from torch import Tensor

from kdsearch.core.paths import Weights
from kdsearch.core.records import Architecture
from kdsearch.core.space import Space


class Terms(NamedTuple):
    """What a policy may be made from."""

    space: Space
    randoms: int
    """Students drawn a step beside the largest and the smallest."""
    seed: int
    learned: Weights | None
    """A generic teacher's distribution over paths, if it has learnt one."""
    cost: Callable[[Architecture], float]
    """Multiply-accumulates of a student, for one image."""


class Policy(Protocol):
    """Also an nn.Module, so that a checkpoint holds what it remembers."""

    @property
    def largest_first(self) -> bool:
        """Whether the first path is always the largest student, whom others can imitate."""

    @property
    def note(self) -> Callable[[Architecture, Tensor], None] | None:
        """Told in the backward pass: the loss's gradient at a path's (rows, classes) logits;
        None where nothing is remembered."""

    def paths(self, space: Space, rng: random.Random, step: int) -> tuple[Architecture, ...]:
        """The step's students, of a space that is open so far."""
