"""Bounds on what a student may cost or must reach, absolute or relative to the largest."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kdsearch.core.costs_named import AT, asked_bound, cost_and_target, is_timed
from kdsearch.core.objectives import KNOWN, Objective
from kdsearch.errors import UserError, did_you_mean

COSTS = tuple(name for name, one in KNOWN.items() if not one.scored)
"""What a budget may bound from above."""
ALWAYS = (KNOWN["accuracy"], *(KNOWN[name] for name in COSTS))
"""What every published student has."""


NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


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


def parse(
    name: str,
    text: str | float,
    *,
    upper: bool = True,
    known: Sequence[Objective] = ALWAYS,
    first: str = "",
) -> Bound:
    """Reads '5', 5, '60%' as a bound on one of the `known`.

    Args:
        first: name of the first target, which may be said of its latencies, too.

    Raises:
        UserError: an unknown name, the wrong side, or a bad number.
    """
    if name.rstrip().endswith(AT) or str(text).rstrip().endswith(AT):
        raise UserError(f"{name}={text}: no target stands behind '{AT}'")
    name, raw = asked_bound(name, str(text), first)
    one = bounded(name, upper, known, first)
    relative = raw.endswith("%")
    digits = raw.removesuffix("%").strip()
    value = float(digits) if NUMBER.fullmatch(digits) else math.nan
    if one.scored and (relative or (one.function is None and not 0 < value <= 1)):
        what = "an accuracy" if name == "accuracy" else "a score"
        rule = "absolute" if relative else "above 0 and at most 1"
        raise UserError(f"{name} = {raw!r}; {what} is {rule}, for example 0.9")
    if not math.isfinite(value) or (value <= 0 and one.function is None):
        raise UserError(f"{name} = {raw!r}; a bound is a number above 0, or a share like '60%'")
    return Bound(name, value / 100 if relative else value, relative, upper)


def bounded(name: str, upper: bool, known: Sequence[Objective], first: str = "") -> Objective:
    """The one of this name; raises UserError where there is none to be bound from this side."""
    found = {one.name: one for one in known}
    if name in found and found[name].maximised == upper:
        side = "below (a minimum)" if upper else "above (a maximum)"
        raise UserError(f"'{name}' can be bound from {side} alone")
    allowed = [other for other, one in found.items() if one.maximised != upper]
    if name not in found and is_timed(name):
        raise UserError(f"'{name}': {no_target(name, known, first)}")
    if name not in allowed:
        raise UserError(f"unknown bound '{name}'; {did_you_mean(name, allowed)}")
    return found[name]


def no_target(name: str, known: Iterable[Objective], first: str = "") -> str:
    """Why a latency is none of the known ones: which targets there are."""
    cost, target = cost_and_target(name)
    if not target:
        return f"{cost} is not known of these students; publish them anew"
    there = dict.fromkeys(t for one in known if (t := cost_and_target(one.name)[1]))
    names = [*([first] if first else []), *there]
    if not names:
        return f"no target '{target}'; there is one target alone, without a name: {cost}"
    return f"no target '{target}'; {did_you_mean(target, names)}"


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
            far = share(excess, limit)
            missed[bound.name] = max(far, missed.get(bound.name, 0.0))
    return missed


def share(amount: float, limit: float) -> float:
    """Of a limit's size; of 1 where the limit is 0, as a user's own score may have it."""
    return amount / (abs(limit) or 1.0)
