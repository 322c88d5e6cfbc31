"""A trial as the search sees it: a candidate and what became of it, rung by rung."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from kdsearch.core.records import Candidate

OUT_OF_TIME = "the search was over before its turn"
"""Why a trial was stopped that a limit came before: it was never trained."""

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
    passed: bool = False
    """Whether it went past the screen: within the budget, not hopeless with inherited
    weights."""
    sampled: Mapping[str, Any] = field(default_factory=dict)
    """What its sampler noted on it, to be shown to it again."""

    @property
    def is_late(self) -> bool:
        """Whether a limit came before it; it does not count, and its candidate is tried again
        once the limit is raised.
        """
        return self.state == "stopped" and self.reason == OUT_OF_TIME

    @property
    def rung(self) -> int:
        """The highest rung it has a score at; -1 before any."""
        return max(self.scores, default=-1)

    def as_proposed(self) -> "Trial":
        """As it was before anything was known of it."""
        return Trial(self.number, self.candidate, batch=self.batch, sampled=self.sampled)
