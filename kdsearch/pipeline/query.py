"""Verb `query`: the students for a budget, from a run's files alone, without torch.

An upper bound on a latency, of any target and quantile, is held against the upper end of its
95 % interval; a bound on a score against the score itself, with how sure that is beside it.
Students are ranked by the run's first objective, which is a score on search-validation.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kdsearch.core.bounds_confidence import Known, confidence, together
from kdsearch.core.budget import ALWAYS, COSTS, Bound, parse, resolve, share
from kdsearch.core.distinct import distinguishable
from kdsearch.core.objectives import KNOWN, Objective, ours
from kdsearch.errors import BudgetError, UserError
from kdsearch.pipeline.delivered import trained
from kdsearch.pipeline.evidence import deciding, evidence
from kdsearch.pipeline.refusal import Miss, refusal
from kdsearch.rundir import RunDir

TRIALS = "trials"
NEEDED = ("points", "space")
"""Of front.json."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A bound that a student keeps."""

    bound: Bound
    limit: float
    known: Known
    margin: float
    """The room left at the end that decides, as a share of the limit; 0 where it just holds."""
    confidence: float | None
    """See `core.bounds_confidence`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A student within the bounds."""

    student: Mapping[str, Any]
    """A point of front.json, or one of its form."""
    score: Known
    """Of the run's first objective."""
    kept: tuple[Kept, ...]
    is_like_best: bool
    """Whether its score's interval and the best student's overlap: which of the two is better
    is not known."""

    @property
    def margins(self) -> dict[str, float]:
        return {str(one.bound): one.margin for one in self.kept}

    @property
    def confidence(self) -> float | None:
        """At least so sure that it keeps all bounds."""
        return together(one.confidence for one in self.kept)


@dataclass(frozen=True, slots=True)
class Answer:
    """The students within the bounds, best first; there is one at least."""

    choices: tuple[Choice, ...]
    leading: Objective
    """What they are ranked by."""

    @property
    def student(self) -> Mapping[str, Any]:
        return self.choices[0].student

    @property
    def margins(self) -> Mapping[str, float]:
        return self.choices[0].margins

    @property
    def others(self) -> tuple[str, ...]:
        return tuple(one.student["id"] for one in self.choices[1:])


def objectives_of(front: Mapping[str, Any]) -> tuple[Objective, ...]:
    """What may be bound: what every student has, and the objectives of the run."""
    largest, directions = front["space"]["largest"], front.get("directions", {})
    named = [*(n for n in COSTS if n in largest), *(n for n in largest if n not in COSTS)]
    costs = [one for name in named if (one := ours(name)) is not None]
    own = [ours(n) or brought(n, way) for n, way in directions.items() if n not in largest]
    return tuple(dict.fromkeys([KNOWN["accuracy"], *own, *costs]))


def brought(name: str, direction: str) -> Objective:
    """A function of the user's own, which a query has no need to call."""
    return Objective(name, direction == "maximize", scored=True, function=name)


def first_target(front: Mapping[str, Any]) -> str:
    """The name of the target whose latencies have bare names."""
    return next((next(iter(p["latency"]), "") for p in front["points"]), "")


def read_bounds(
    upper: Sequence[str],
    lower: Sequence[str],
    known: Sequence[Objective] = ALWAYS,
    first: str = "",
) -> tuple[Bound, ...]:
    """Reads 'latency_ms.p95=6@edge', 'params=60%' and, for `lower`, 'accuracy=0.9'.

    Args:
        first: name of the first latency target.

    Raises:
        UserError: one cannot be read.
    """
    return tuple(
        parse(*pair(text), upper=is_upper, known=known, first=first)
        for is_upper, texts in ((True, upper), (False, lower))
        for text in texts
    )


def pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise UserError(
            f"'{text}' is no bound; the form is latency_ms=0.5, latency_ms.p95=6@TARGET or "
            "params=60%"
        )
    return name.strip(), value.strip()


def query(run: RunDir, bounds: Sequence[Bound]) -> Answer:
    """The published students that keep every bound.

    Raises:
        BudgetError: none does; names the binding bound, the nearest student and the least
            the space offers.
    """
    front = run.read(run.front, *NEEDED)
    return choose(pool(run, front, bounds), bounds)


def asked(
    run: RunDir, upper: Sequence[str], lower: Sequence[str], among: str | None = None
) -> Answer:
    """See `query`; bounds as a person writes them, on what this run's students have.

    Args:
        among: 'front' (and None), or 'trials' for those that were stopped before, too.

    Raises:
        UserError: one cannot be read.
    """
    bounds = on_run(run, upper, lower)
    return choose(pool(run, run.read(run.front, *NEEDED), bounds, among), bounds)


def on_run(run: RunDir, upper: Sequence[str], lower: Sequence[str]) -> tuple[Bound, ...]:
    """See `read_bounds`, of what this run's students have."""
    front = run.read(run.front, *NEEDED)
    return read_bounds(upper, lower, objectives_of(front), first_target(front))


def pool(
    run: RunDir, front: Mapping[str, Any], bounds: Sequence[Bound], among: str | None = None
) -> Mapping[str, Any]:
    """The front with all points that may be chosen."""
    if among != TRIALS:
        return trained(run, front) if run.delivered.exists() else front
    from kdsearch.pipeline.candidates import all_trials, architectures, uncounted

    counted: Mapping[str, Mapping[str, float]] = {}
    if uncounted(run, bounds):
        from kdsearch.pipeline.sizes import sizes  # torch, for what no file says

        counted = sizes(run, front, architectures(run))
    return all_trials(run, front, counted)


def choose(front: Mapping[str, Any], bounds: Sequence[Bound]) -> Answer:
    """See `query`; `front` is the content of front.json."""
    known = {point["id"]: evidence(point) for point in front["points"]}
    largest = front["space"]["largest"]
    missed = {name: misses(bounds, facts, largest) for name, facts in known.items()}
    within = [p for p in front["points"] if not missed[p["id"]]]
    if not within:
        raise BudgetError(*refusal(front, missed, known))
    first = leading(front)

    def rank(point: Mapping[str, Any]) -> tuple[float, float, str]:
        facts = known[point["id"]]
        value = facts[first.name].value
        return (-value if first.maximised else value, cheapest(facts), point["id"])

    ranked = sorted(within, key=rank)
    best = known[ranked[0]["id"]][first.name]
    choices = (
        Choice(
            point,
            (facts := known[point["id"]])[first.name],
            tuple(kept(bound, facts[bound.name], largest) for bound in bounds),
            point is not ranked[0] and overlap(best, facts[first.name]),
        )
        for point in ranked
    )
    return Answer(tuple(choices), first)


def leading(front: Mapping[str, Any]) -> Objective:
    """The objective that students are ranked by."""
    name = next(iter(front.get("directions", ["accuracy"])))
    return next(one for one in objectives_of(front) if one.name == name)


def cheapest(facts: Mapping[str, Known]) -> float:
    return deciding(facts["latency_ms"]) if "latency_ms" in facts else math.inf


def overlap(one: Known, other: Known) -> bool:
    if one.ci95 is None or other.ci95 is None:
        return False
    return not distinguishable(one.ci95, other.ci95)


def misses(
    bounds: Sequence[Bound], facts: Mapping[str, Known], largest: Mapping[str, float]
) -> tuple[Miss, ...]:
    """The bounds that a student breaks, and those on what is not known of it."""
    found = []
    for bound in bounds:
        limit = resolve(bound, largest)
        value = deciding(facts[bound.name]) if bound.name in facts else math.nan
        if not room(bound, limit, value) >= 0:
            found.append(Miss(bound, limit, value))
    return tuple(found)


def room(bound: Bound, limit: float, value: float) -> float:
    return limit - value if bound.upper else value - limit


def kept(bound: Bound, known: Known, largest: Mapping[str, float]) -> Kept:
    limit = resolve(bound, largest)
    margin = share(room(bound, limit, deciding(known)), limit)
    return Kept(bound, limit, known, margin, confidence(known, limit, upper=bound.upper))
