"""How fast a search goes, which limit it comes to first, and when (ours)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kdsearch.config import Config
from kdsearch.config.models import GRID
from kdsearch.config.objectives import objectives_of
from kdsearch.pipeline.heartbeat import Beat
from kdsearch.pipeline.ledger import by_rung, sitting
from kdsearch.rundir import RunDir
from kdsearch.search.limits import stalled
from kdsearch.search.trial import Trial

ENOUGH = 3
"""Trials that must have ended in this sitting before its own speed is told."""


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a limit is used up."""

    limit: str
    """As the config calls it."""
    used: float
    of: float
    left: float | None
    """Seconds until it is reached as the search goes now; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Of one search."""

    over: int
    """Trials that are over."""
    seconds: float
    """That it was worked on, over all sittings."""
    device_seconds: Mapping[int, float]
    """What its jobs took, by rung."""
    rate: float | None
    """Trials that end in a second."""

    def per(self, amount: float) -> float | None:
        """Seconds until so many more trials are over."""
        return max(0.0, amount) / self.rate if self.rate else None


def pace(
    run: RunDir, study: str, trials: Sequence[Trial], now: float, beat: Beat | None
) -> Pace:
    """`beat`: None where nobody is at work."""
    over = sum(t.state != "running" and not t.is_late for t in trials)
    known = sitting(run.ledger, study)
    task = None if beat is None else beat.of("search")
    since = 0.0 if task is None else max(0.0, now - task["since"])
    seconds = known.seconds + (0.0 if task is None else max(0.0, now - known.until))
    rate = over / seconds if over and seconds else None
    if task is not None and task["first"] is not None and since:
        ended = over - task["first"]
        rate = ended / since if ended >= ENOUGH else rate
    rungs = by_rung(run.trials(study))
    return Pace(over, seconds, {r: row["device_seconds"] for r, row in rungs.items()}, rate)


def uses(
    config: Config, study: Mapping[str, Any], trials: Sequence[Trial], found: Pace
) -> Iterator[Use]:
    """Of every limit that the config sets.

    Args:
        study: what identifies the search, see run.json.
    """
    search, over = config.search, max(1, found.over)
    planned = search.trials
    if search.sampler == GRID:
        planned = min(planned, math.prod(map(len, study["space"]["axes"].values())))
    tried = sum(not t.is_late for t in trials)
    yield Use("search.trials", tried, planned, found.per(planned - found.over))
    if search.seconds is not None:
        left = max(0.0, search.seconds - found.seconds)
        yield Use("search.seconds", found.seconds, search.seconds, left)
    if search.device_seconds is not None:
        top = len(search.rungs)  # the finalists', which are not the search's
        used = sum(s for rung, s in found.device_seconds.items() if rung < top)
        more = (search.device_seconds - used) * over / used if used else math.inf
        left_ = found.per(more) if used else None
        yield Use("search.device_seconds", used, search.device_seconds, left_)
    if search.patience is not None:
        used = stalled(trials, objectives_of(search.objectives))
        complete = sum(t.state == "complete" for t in trials)
        left_ = found.per((search.patience - used) * over / complete) if complete else None
        yield Use("search.patience", used, search.patience, left_)


def nearest(limits: Sequence[Use]) -> Use:
    """The one that is reached first; by the share that is used, where speed is not known."""
    if all(one.left is not None for one in limits):
        return min(limits, key=lambda one: one.left or 0.0)
    return max(limits, key=lambda one: one.used / one.of)


def ended_by(limits: Sequence[Use]) -> Use | None:
    return next((one for one in limits if one.used >= one.of), None)


def left(limits: Sequence[Use]) -> float | None:
    """Seconds until the search is over; patience is left out, since a front may yet grow."""
    known = [o.left for o in limits if o.left is not None and o.limit != "search.patience"]
    return min(known, default=None)
