"""The seam of a way to train a teacher, and the way that trains nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from torch import nn

from kdsearch.core.progress import Progress
from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.teachers.conditioning import Conditioning
from kdsearch.teachers.learning import Learning
from kdsearch.training.feed import Feed
from kdsearch.training.plan import Plan


@dataclass(frozen=True, slots=True)
class Pool:
    """The students that a teacher is to be good for."""

    family: str
    space: Space
    student: Architecture | None = None
    """The one that `student_friendly` names."""
    held_out: tuple[Architecture, ...] = ()
    """Never drawn by `generic`."""


@dataclass(frozen=True, slots=True)
class Shaping:
    """What shapes a teacher for its students; `plain` looks at none of it."""

    pool: Pool | None = None
    conditioning: Conditioning = Conditioning()
    distribution: Learning = Learning()
    lipschitz: float | None = None
    """Weights of the regularisers; None: the way's own."""
    consistency: float | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """What a teacher is trained on, how long, and where it may go on from."""

    feed: Feed
    plan: Plan
    checkpoint: Path
    progress: Progress
    shaping: Shaping = field(default_factory=Shaping)


class Trained(NamedTuple):
    """What is told of a training."""

    curve: list[tuple[int, float]]
    """(step, loss)."""
    facts: Mapping[str, Any] = {}
    """Further entries of teacher.json: `paths`, where a distribution was learnt, has pairs
    (value, how often it is drawn) for each axis.
    """


class Train(Protocol):
    def __call__(self, network: nn.Module, course: Course) -> Trained:
        """Trains `network` in place."""


def train_none(network: nn.Module, course: Course) -> Trained:
    """The network teaches as it is."""
    return Trained([])
