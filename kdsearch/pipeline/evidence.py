"""What the record of a student says, quantity by quantity: a value and its interval.

That is one of 95 %, and of 90 % where a latency is predicted and not measured.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from kdsearch.core.bounds_confidence import Known
from kdsearch.core.costs_named import QUANTILES, is_timed, on_target

INTERVALS: Mapping[str, str] = MappingProxyType(
    {"p50": "ci95", "p95": "p95_ci95", "p99": "p99_ci95"}
)
"""Where that of a quantile stands among a latency's facts."""


def evidence(point: Mapping[str, Any]) -> dict[str, Known]:
    """By objective: scores are those on search-validation, counted costs are exact.

    Args:
        point: one of front.json, also of an older version, or one of its form.
    """
    intervals = point.get("scores_ci95", {})
    scores = {
        n: Known(v, pair(intervals.get(n)), False) for n, v in point.get("scores", {}).items()
    }
    if "search_accuracy" in point:
        interval = pair(point.get("search_accuracy_ci95"))
        scores["accuracy"] = Known(point["search_accuracy"], interval, is_cost=False)
    counted = {name: point[name] for name in ("params", "macs") if name in point}
    costs = {name: cost(name, v) for name, v in {**counted, **point.get("costs", {})}.items()}
    return {**scores, **costs, **timed(point["latency"])}


def cost(name: str, value: float) -> Known:
    """One that no latency's facts tell of: counted, or a time without an interval."""
    return Known(value) if is_timed(name) else Known.exactly(value)


def timed(latency: Mapping[str, Mapping[str, Any]]) -> dict[str, Known]:
    """Of every target; the first one's have bare names."""
    found = {}
    for place, (target, facts) in enumerate(latency.items()):
        known = {q: name for q, name in QUANTILES.items() if facts.get(q) is not None}
        for quantile, name in known.items():
            interval = pair(facts.get(INTERVALS[quantile]))
            found[on_target(name, target if place else "")] = Known(
                facts[quantile], interval, is_predicted=bool(facts.get("predicted"))
            )
    return found


def pair(ci95: Sequence[float] | None) -> tuple[float, float] | None:
    return None if ci95 is None else (float(ci95[0]), float(ci95[1]))


def deciding(known: Known) -> float:
    """What a bound is held against: of a cost the interval's upper end, of a score the value.

    The value where there is no interval, as older runs have none of p95.
    """
    if not known.is_cost or known.ci95 is None:
        return known.value
    return max(known.value, known.ci95[1])
