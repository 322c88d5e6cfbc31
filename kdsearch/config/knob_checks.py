"""Values that a config leaves to knobs: of the method, of one kind, rising."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

from kdsearch.config.knobs import narrowed
from kdsearch.config.models import Config, KnobRange
from kdsearch.config.problem import Problem, refused
from kdsearch.core.space import Choice, Value
from kdsearch.errors import did_you_mean
from kdsearch.spaces.marked import Keys

Rule: TypeAlias = Callable[[Value], str | None]
"""Why a value cannot be; None if it can."""


def knobs(config: Config) -> Iterator[Problem]:
    from kdsearch.distill.kinds import kind, refused_value  # brings torch

    known = [name for name in config.distill.names if not refused(partial(kind, name))]
    owners = {
        f"{name}.{knob}": (name, knob) for name in known for knob in kind(name).allowed.axes
    }
    for name, values in config.distill.knobs.items():
        path = ("distill", "knobs", name)
        if name not in owners:
            hint = did_you_mean(name, owners) if owners else "the methods chosen have no knobs"
            yield path, f"no knob of distill.methods; {hint}"
            continue
        method, knob = kind(owners[name][0]), owners[name][1]
        axis = method.allowed.axes[knob]
        if isinstance(values, KnobRange) and isinstance(axis, Choice):
            yield path, f"must be a list; allowed: {axis}"
        else:
            yield from not_allowed(path, values, partial(refused_value, method, knob))


def not_allowed(
    path: Keys, values: KnobRange | Sequence[Value], rule: Rule
) -> Iterator[Problem]:
    """What is wrong with the values that an axis is to have, one by one and together."""
    if isinstance(values, KnobRange):
        ends = rule(values.low) or rule(values.high)
        if wrong := ends or refused(partial(narrowed, values)):
            yield path, wrong
        return
    found = [(i, wrong) for i, value in enumerate(values) if (wrong := rule(value))]
    yield from (((*path, i), wrong) for i, wrong in found)
    if not found and not is_rising(values):
        yield path, "needs distinct values, at least one, from small to large"


def is_rising(values: Sequence[Value]) -> bool:
    """Distinct, at least one, and numbers from small to large."""
    numbers = [float(v) for v in values if not isinstance(v, str)]
    rising = all(a < b for a, b in zip(numbers, numbers[1:], strict=False))
    return bool(values) and len(set(values)) == len(values) and rising
