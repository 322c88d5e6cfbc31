"""A trial as the search sees it: a candidate and what became of it, rung by rung."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kdsearch.core.pareto import Values
from kdsearch.core.records import Candidate

TrialState = Literal["running", "complete", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Trial:
    number: int
    candidate: Candidate
    state: TrialState = "running"
    scores: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    """Objective values by rung, as measured: (accuracy, latency in ms), for example."""
    violations: Mapping[str, float] = field(default_factory=dict)
    """By what share each broken bound of the budget is missed."""
    batch: int = 0
    """Number of the first trial that was proposed together with it."""
    reason: str = ""
    """Why it was stopped or failed."""

    @property
    def rung(self) -> int:
        """The highest rung it has a score at; -1 before any."""
        return max(self.scores, default=-1)


def minimised(scores: tuple[float, ...]) -> Values:
    """Objective values, each the smaller the better: the first is an accuracy."""
    return (-scores[0], *scores[1:])
