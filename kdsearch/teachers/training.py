"""The seam of a way to train a teacher, and the way that trains nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import nn

from kdsearch.core.progress import Progress
from kdsearch.training.feed import Feed
from kdsearch.training.plan import Plan


@dataclass(frozen=True, slots=True)
class Course:
    """What a teacher is trained on, how long, and where it may go on from."""

    feed: Feed
    plan: Plan
    checkpoint: Path
    progress: Progress


class Train(Protocol):
    def __call__(self, network: nn.Module, course: Course) -> list[tuple[int, float]]:
        """Trains `network` in place; returns its curve, (step, loss)."""


def train_none(network: nn.Module, course: Course) -> list[tuple[int, float]]:
    """The network teaches as it is."""
    return []
