"""A run's targets in words: what each is, and what the space's ends take there; no torch."""

from collections.abc import Iterator, Mapping
from typing import Any

from kdsearch.core.costs_named import QUANTILES, on_target
from kdsearch.core.quantities import milliseconds

Ends = Mapping[str, Mapping[str, float]]
"""Costs of the smallest and of the largest student."""
ENDS = ("smallest", "largest")


def with_ends(told: Mapping[str, Mapping[str, Any]], found: Ends) -> dict[str, dict[str, Any]]:
    """Targets with the medians of the smallest and the largest student; `told`: first first."""
    return {
        name: {**one, **medians(name if number else "", found)}
        for number, (name, one) in enumerate(told.items())
    }


def medians(called: str, found: Ends) -> dict[str, float]:
    cost = on_target(QUANTILES["p50"], called)
    return {end: costs[cost] for end, costs in found.items() if cost in costs}


def words(targets: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """'target edge: eager on AMD EPYC, smallest student 0.4 ms, largest 9.5 ms'."""
    for name, one in targets.items():
        where = (
            f"{one['runtime']} on {one['device']}" if one else "measured on a node of its own"
        )
        times = [f"{end} student {milliseconds(one[end])}" for end in ENDS if end in one]
        yield f"target {name}: {', '.join([where, *times])}"
