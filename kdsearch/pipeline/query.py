"""Verb `query`: the student for a budget, from front.json alone, without torch.

An upper bound on latency is held against the upper end of the latency's interval: what is
promised holds at 95 %. Students are ranked by search-validation accuracy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kdsearch.core.budget import Bound, broken, parse, resolve
from kdsearch.core.quantities import count, milliseconds, percent
from kdsearch.errors import BudgetError, UserError
from kdsearch.rundir import RunDir


@dataclass(frozen=True, slots=True)
class Answer:
    """The best student within the bounds, and how much room it leaves."""

    student: Mapping[str, Any]
    """A point of front.json."""
    margins: Mapping[str, float]
    """By bound: the room left, as a share of the limit; 0 where it just holds."""
    others: tuple[str, ...]
    """Ids of the other students within the bounds, best first."""


def read_bounds(upper: Sequence[str], lower: Sequence[str]) -> tuple[Bound, ...]:
    """Reads 'latency_ms=0.5', 'params=60%' and, for `lower`, 'accuracy=0.9'."""
    return tuple(
        parse(*pair(text), upper=is_upper)
        for is_upper, texts in ((True, upper), (False, lower))
        for text in texts
    )


def pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise UserError(f"'{text}' is no bound; the form is latency_ms=0.5 or params=60%")
    return name.strip(), value.strip()


def query(run: RunDir, bounds: Sequence[Bound]) -> Answer:
    """The most accurate published student that keeps every bound.

    Raises:
        BudgetError: none does; names the binding bound, the nearest student and the least
            the space offers.
    """
    return choose(run.read(run.front), bounds)


def choose(front: Mapping[str, Any], bounds: Sequence[Bound]) -> Answer:
    """See `query`; `front` is the content of front.json."""
    largest = front["space"]["largest"]
    missed = {p["id"]: broken(bounds, guaranteed(p), largest) for p in front["points"]}
    within = [p for p in front["points"] if not missed[p["id"]]]
    if not within:
        raise BudgetError(refusal(front, bounds, missed))
    ranked = sorted(within, key=lambda p: (-p["search_accuracy"], cheapest(p)))
    best = ranked[0]
    margins = {str(b): margin(b, guaranteed(best), largest) for b in bounds}
    return Answer(best, margins, tuple(p["id"] for p in ranked[1:]))


def guaranteed(point: Mapping[str, Any]) -> dict[str, float]:
    """What a bound is held against; of the latency, the upper end of its interval."""
    timed = next(iter(point["latency"].values()))
    return {
        "accuracy": point["search_accuracy"],
        "params": point["params"],
        "macs": point["macs"],
        "latency_ms": timed["ci95"][1],
    }


def cheapest(point: Mapping[str, Any]) -> float:
    return float(guaranteed(point)["latency_ms"])


def margin(bound: Bound, values: Mapping[str, float], largest: Mapping[str, float]) -> float:
    limit = resolve(bound, largest)
    room = (limit - values[bound.name]) if bound.upper else (values[bound.name] - limit)
    return room / limit


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
        return f"{line}; the most accurate student has {max(known):.4g}"
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
    lines += [f"  {bound}: {room:.1%} of room" for bound, room in answer.margins.items()]
    if answer.others:
        lines.append(f"  also within: {', '.join(answer.others)}")
    return "\n".join(lines)
