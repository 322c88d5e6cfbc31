"""When a search proposes no more: seconds, device-seconds, or a front that stopped growing."""

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kdsearch.core.objectives import Objective, minimised
from kdsearch.core.pareto import Values, hypervolume
from kdsearch.core.quantities import duration
from kdsearch.core.records import Result
from kdsearch.search.trial import Trial

GROWTH = 0.001
"""A front that grew by a smaller share than this did not grow."""
BEYOND = 0.1
"""The reference lies so much of an axis's extent beyond its worst value: the ends of a front
count, too."""


@dataclass
class Limits:
    """Checked before anything new is begun; what is under way comes to its end."""

    objectives: Sequence[Objective] = ()
    seconds: float | None = None
    """Wall-clock seconds of the search, over all sittings."""
    device_seconds: float | None = None
    """Seconds that its jobs took, added up."""
    patience: int | None = None
    """Completed trials without growth of the hypervolume."""
    spent: float = 0.0
    """Wall-clock seconds of earlier sittings."""
    device_spent: float = 0.0
    clock: Callable[[], float] = time.monotonic
    reason: str = ""
    """Why it was reached."""
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def spend(self, result: Result) -> None:
        """Counts a job; rung 0 belongs to architectures and is shared by searches."""
        if result.rung > 0:
            self.device_spent += result.seconds

    def stop(self, reason: str) -> None:
        self.reason = self.reason or reason

    def reached(self, trials: Sequence[Trial]) -> bool:
        wall = self.spent + self.clock() - self.started
        if self.seconds is not None and wall >= self.seconds:
            self.stop(f"search.seconds: {duration(self.seconds)} are over")
        if self.device_seconds is not None and self.device_spent >= self.device_seconds:
            self.stop(f"search.device_seconds: {duration(self.device_seconds)} are spent")
        if self.patience is not None and not self.reason and self.stalls(trials):
            self.stop(f"search.patience: {self.patience} trials did not add to the front")
        return bool(self.reason)

    def stalls(self, trials: Sequence[Trial]) -> bool:
        """Whether the last `patience` completed trials added nothing to the hypervolume."""
        assert self.patience is not None
        points = completed(trials, self.objectives)
        return len(points) > self.patience and is_level(points, self.patience)


def stalled(trials: Sequence[Trial], objectives: Sequence[Objective]) -> int:
    """How many of the latest completed trials added nothing to the hypervolume."""
    points = completed(trials, objectives)
    return bisect_left(range(1, len(points)), True, key=lambda last: not is_level(points, last))


def completed(trials: Sequence[Trial], objectives: Sequence[Objective]) -> list[Values]:
    """The completed trials at the highest rung, in the order they were proposed."""
    done = [t for t in trials if t.state == "complete"]
    top = max((t.rung for t in done), default=0)
    return [minimised(t.scores[top], objectives) for t in done if t.rung == top]


def is_level(points: Sequence[Values], last: int) -> bool:
    """Whether the hypervolume is as large without the last points."""
    axes = list(zip(*points, strict=True))
    reference = [max(axis) + BEYOND * (max(axis) - min(axis) or 1.0) for axis in axes]
    before = hypervolume(points[:-last], reference)
    return hypervolume(points, reference) <= before * (1 + GROWTH)
