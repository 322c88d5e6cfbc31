"""How fast a hypervolume grows: when it reaches a level, and ratios of that between searches.

A search that does not get there within its trials is counted as if it had taken every candidate
there is before: the most it can take, as none is tried twice. Ratios are geometric means over
pairs of one seed, intervals percentile bootstraps over the seeds (Efron & Tibshirani, 1993).
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "search" / "replay"))

from replayed import Done, Replay, Table  # noqa: E402

RESAMPLES = 10_000


class Step(NamedTuple):
    """The hypervolume grew."""

    trials: int
    epochs: float
    volume: float


class Ratio(NamedTuple):
    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass
class Growth:
    """Of the hypervolume of what came to the top rung, followed while a search runs."""

    replay: Replay
    steps: list[Step] = field(default_factory=list)
    front: list[dict[str, float]] = field(default_factory=list)
    seen: int = 0
    """How many jobs were looked at."""

    def look(self) -> float:
        """The hypervolume by now."""
        top = len(self.replay.levels)
        for done in self.replay.log[self.seen :]:
            if done.rung == top and done.accuracy is not None:
                self.add(done, done.accuracy)
        self.seen = len(self.replay.log)
        return self.steps[-1].volume if self.steps else 0.0

    def add(self, done: Done, accuracy: float) -> None:
        table = self.replay.table
        point = {"accuracy": accuracy, **table.costs(done.candidate.architecture)}
        volume = table.volume([*self.front, point])
        if not self.steps or volume > self.steps[-1].volume:
            self.front.append(point)
            self.steps.append(Step(done.number, done.epochs, volume))


def reached(steps: Sequence[Step], level: float) -> Step | None:
    """The first at which the hypervolume was as large."""
    return next((step for step in steps if step.volume >= level - 1e-12), None)


def at(steps: Sequence[Step], trials: int) -> float:
    """The hypervolume after so many trials."""
    return max((step.volume for step in steps if step.trials <= trials), default=0.0)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Of pairs of one seed."""
    logs = np.log(np.asarray(ours, float) / np.asarray(theirs, float))
    draws = np.random.default_rng(0).integers(0, len(logs), (RESAMPLES, len(logs)))
    low, high = np.percentile(logs[draws].mean(axis=1), (2.5, 97.5))
    return Ratio(*(float(np.exp(x)) for x in (logs.mean(), low, high)))


def candidates(table: Table) -> int:
    return len(table.students) * len(table.recipes)
