"""Verb `query`: the student for a budget, from front.json alone, without torch.

An upper bound on latency is held against the upper end of the latency's interval: what is
promised holds at 95 %. Students are ranked by the run's first objective, which is a score on
search-validation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kdsearch.core.amounts import amount, title
from kdsearch.core.budget import ALWAYS, COSTS, Bound, broken, parse, resolve, share
from kdsearch.core.objectives import KNOWN, Objective
from kdsearch.core.quantities import count, milliseconds, percent
from kdsearch.errors import BudgetError, UserError
from kdsearch.pipeline.front import measured
from kdsearch.rundir import RunDir

NEEDED = ("points", "space")
"""Of front.json."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The best student within the bounds, and how much room it leaves."""

    student: Mapping[str, Any]
    """A point of front.json."""
    margins: Mapping[str, float]
    """By bound: the room left, as a share of the limit; 0 where it just holds."""
    others: tuple[str, ...]
    """Ids of the other students within the bounds, best first."""


def objectives_of(front: Mapping[str, Any]) -> tuple[Objective, ...]:
    """What may be bound: what every student has, and the objectives of the run."""
    costs = [KNOWN[name] for name in COSTS if name in front["space"]["largest"]]
    directions = front.get("directions", {})
    own = [KNOWN.get(n) or brought(n, way) for n, way in directions.items() if n not in COSTS]
    return tuple(dict.fromkeys([KNOWN["accuracy"], *own, *costs]))


def brought(name: str, direction: str) -> Objective:
    """A function of the user's own, which a query has no need to call."""
    return Objective(name, direction == "maximize", scored=True, function=name)


def read_bounds(
    upper: Sequence[str], lower: Sequence[str], known: Sequence[Objective] = ALWAYS
) -> tuple[Bound, ...]:
    """Reads 'latency_ms=0.5', 'params=60%' and, for `lower`, 'accuracy=0.9'."""
    return tuple(
        parse(*pair(text), upper=is_upper, known=known)
        for is_upper, texts in ((True, upper), (False, lower))
        for text in texts
    )


def pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise UserError(f"'{text}' is no bound; the form is latency_ms=0.5 or params=60%")
    return name.strip(), value.strip()


def query(run: RunDir, bounds: Sequence[Bound]) -> Answer:
    """The best published student that keeps every bound.

    Raises:
        BudgetError: none does; names the binding bound, the nearest student and the least
            the space offers.
    """
    return choose(run.read(run.front, *NEEDED), bounds)


def asked(run: RunDir, upper: Sequence[str], lower: Sequence[str]) -> Answer:
    """See `query`; bounds as a person writes them, on what this run's students have.

    Raises:
        UserError: one cannot be read.
    """
    front = run.read(run.front, *NEEDED)
    return choose(front, read_bounds(upper, lower, objectives_of(front)))


def choose(front: Mapping[str, Any], bounds: Sequence[Bound]) -> Answer:
    """See `query`; `front` is the content of front.json."""
    largest = front["space"]["largest"]
    missed = {p["id"]: broken(bounds, guaranteed(p), largest) for p in front["points"]}
    within = [p for p in front["points"] if not missed[p["id"]]]
    if not within:
        raise BudgetError(refusal(front, bounds, missed))
    first = leading(front)
    sign = -1 if first.maximised else 1
    ranked = sorted(within, key=lambda p: (sign * guaranteed(p)[first.name], cheapest(p)))
    best = ranked[0]
    margins = {str(b): margin(b, guaranteed(best), largest) for b in bounds}
    return Answer(best, margins, tuple(p["id"] for p in ranked[1:]))


def leading(front: Mapping[str, Any]) -> Objective:
    """The objective that students are ranked by."""
    name = next(iter(front.get("directions", ["accuracy"])))
    return next(one for one in objectives_of(front) if one.name == name)


def guaranteed(point: Mapping[str, Any]) -> dict[str, float]:
    """What a bound is held against; of the latency, the upper end of its interval."""
    timed = next(iter(point["latency"].values()))
    return measured(point) | {"latency_ms": timed["ci95"][1]}


def cheapest(point: Mapping[str, Any]) -> float:
    return float(guaranteed(point)["latency_ms"])


def margin(bound: Bound, values: Mapping[str, float], largest: Mapping[str, float]) -> float:
    limit = resolve(bound, largest)
    room = (limit - values[bound.name]) if bound.upper else (values[bound.name] - limit)
    return share(room, limit)


def refusal(
    front: Mapping[str, Any], bounds: Sequence[Bound], missed: Mapping[str, Mapping[str, float]]
) -> str:
    """Why no student will do: the binding bound, the nearest student, the least there is."""
    nearest = min(front["points"], key=lambda p: max(missed[p["id"]].values()))
    name, excess = max(missed[nearest["id"]].items(), key=lambda item: item[1])
    values, largest = guaranteed(nearest), front["space"]["largest"]
    same = [b for b in bounds if b.name == name]
    bound = min(same, key=lambda b: margin(b, values, largest))
    limit, value = resolve(bound, largest), values[name]
    side = "beyond" if bound.upper else "short"
    far = f"{excess:.1%} {side}" if excess < 10 else f"{excess + 1:.0f} times as much"
    line = (
        f"no student keeps {bound}{f' (= {limit:.4g})' if bound.relative else ''}; "
        f"nearest is {nearest['id']} with {name} {value:.4g}, {far}"
    )
    known = [guaranteed(p)[name] for p in front["points"]]
    if not bound.upper:
        best = "most accurate" if name == "accuracy" else "best"
        return f"{line}; the {best} student has {max(known):.4g}"
    if name not in front["space"]["smallest"]:
        return f"{line}; the best student has {min(known):.4g}"
    least = min(front["space"]["smallest"][name], *known)
    return f"{line}; the smallest value in the space is {least:.4g}"


def words(answer: Answer) -> str:
    """The answer as a person reads it."""
    point = answer.student
    target, timed = next(iter(point["latency"].items()))
    low, high = point["search_accuracy_ci95"]
    lines = [
        f"{point['id']}: {percent(point['search_accuracy'])} on search-val "
        f"({percent(low)} to {percent(high)}), {percent(point['test_accuracy'])} on test",
        f"  latency {milliseconds(timed['p50'])} (p95 {milliseconds(timed['p95'])}) "
        f"on {target}; {count(point['params'])} parameters, {count(point['macs'])} MACs",
    ]
    if more := [f"{title(n)} {amount(n, v)}" for n, v in further(point).items()]:
        lines.append(f"  {', '.join(more)}")
    lines += [f"  {bound}: {room:.1%} of room" for bound, room in answer.margins.items()]
    if answer.others:
        lines.append(f"  also within: {', '.join(answer.others)}")
    return "\n".join(lines)


def further(point: Mapping[str, Any]) -> dict[str, float]:
    """Scores beside the accuracy."""
    return {n: v for n, v in point.get("scores", {}).items() if n != "accuracy"}
