"""Bounds on what a student may cost or must reach, absolute or relative to the largest."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kdsearch.errors import UserError, did_you_mean

COSTS = ("latency_ms", "params", "macs")
"""What a budget may bound from above."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit on one quantity; `relative` ones are shares of the largest student's."""

    name: str
    value: float
    relative: bool
    upper: bool

    def __str__(self) -> str:
        sign = "<=" if self.upper else ">="
        return (
            f"{self.name} {sign} {self.value * 100:g}%"
            if self.relative
            else (f"{self.name} {sign} {self.value:g}")
        )


def parse(name: str, text: str | float, *, upper: bool = True) -> Bound:
    """Reads '5', 5, '60%' as a bound; raises UserError for an unknown name or a bad number."""
    allowed = COSTS if upper else ("accuracy",)
    if name not in allowed:
        raise UserError(f"unknown bound '{name}'; {did_you_mean(name, allowed)}")
    raw = str(text).strip()
    relative = raw.endswith("%")
    try:
        value = float(raw.removesuffix("%"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value <= 0:
        raise UserError(f"{name} = {raw!r}; a bound is a number above 0, or a share like '60%'")
    if relative and not upper:
        raise UserError(f"{name} = {raw!r}; an accuracy is absolute, for example 0.9")
    return Bound(name, value / 100 if relative else value, relative, upper)


def resolve(bound: Bound, largest: Mapping[str, float]) -> float:
    """The bound as an absolute number, given the largest student's costs."""
    return bound.value * largest[bound.name] if bound.relative else bound.value


def broken(
    bounds: Sequence[Bound], costs: Mapping[str, float], largest: Mapping[str, float]
) -> dict[str, float]:
    """By how much each broken bound is missed, as a share of its limit; empty if all hold.

    Bounds on quantities that `costs` does not know yet are left for later; of several bounds
    on one quantity the tightest counts.
    """
    missed: dict[str, float] = {}
    for bound in bounds:
        if bound.name not in costs:
            continue
        limit = resolve(bound, largest)
        excess = (costs[bound.name] - limit) * (1 if bound.upper else -1)
        if excess > 0:
            missed[bound.name] = max(excess / limit, missed.get(bound.name, 0.0))
    return missed
