"""Axes of a space as Optuna's distributions, and values there and back."""

import math
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from kdsearch.core.records import Candidate
from kdsearch.core.space import Axis, Choice, Value
from kdsearch.search.pool import Pool, as_parameters


def joint_axes(pool: Pool, method: str) -> dict[str, Axis]:
    """What a candidate with this method has values of."""
    return {
        **pool.architectures.axes,
        "method": Choice(tuple(pool.methods)),
        **knob_axes(pool, method),
        **pool.training_of(method).axes,
    }


def knob_axes(pool: Pool, method: str) -> dict[str, Axis]:
    return {f"{method}.{knob}": axis for knob, axis in pool.methods[method].axes.items()}


def flat_axes(pool: Pool) -> dict[str, Axis]:
    """The axes of all candidates: every method's knobs, wherever they count or not."""
    axes = {name: axis for m in pool.methods for name, axis in knob_axes(pool, m).items()}
    method = {"method": Choice(tuple(pool.methods))}
    return {**pool.architectures.axes, **method, **axes, **pool.training.axes}


def flat_parameters(candidate: Candidate, axes: Mapping[str, Axis]) -> dict[str, Value]:
    """A value for each of the axes: where one does not count, the middle of its range."""
    own = as_parameters(candidate)
    return {name: own[name] if name in own else middle(axis) for name, axis in axes.items()}


def middle(axis: Axis) -> Value:
    if isinstance(axis, Choice):
        return axis.values[len(axis.values) // 2]
    return math.sqrt(axis.low * axis.high) if axis.log else (axis.low + axis.high) / 2


def distribution(axis: Axis) -> BaseDistribution:
    """Numbers keep their order for the sampler: evenly spaced as they are, others by rank."""
    if not isinstance(axis, Choice):
        return FloatDistribution(axis.low, axis.high, log=axis.log)
    if len(axis.values) == 1 or any(isinstance(v, str) for v in axis.values):
        return CategoricalDistribution(axis.values)
    if (step := even_step(axis)) is not None:
        return IntDistribution(int(axis.values[0]), int(axis.values[-1]), step=step)
    return IntDistribution(0, len(axis.values) - 1)


def even_step(axis: Choice) -> int | None:
    """The distance between neighbours of evenly spaced whole numbers."""
    whole = [v for v in axis.values if isinstance(v, int)]
    steps = {b - a for a, b in zip(whole, whole[1:], strict=False)}
    even = len(whole) == len(axis.values) and len(steps) == 1
    return steps.pop() if even else None


def to_optuna(axis: Axis, value: Value) -> Value:
    return axis.values.index(value) if isinstance(axis, Choice) and ranked(axis) else value


def from_optuna(axis: Axis, value: Any) -> Value:
    found: Value = axis.values[value] if isinstance(axis, Choice) and ranked(axis) else value
    return found


def ranked(axis: Choice) -> bool:
    """Whether the sampler sees ranks instead of values."""
    return isinstance(distribution(axis), IntDistribution) and even_step(axis) is None


def suggest(asked: optuna.trial.Trial, name: str, axis: Axis) -> Value:
    """The sampler's value for one axis."""
    match distribution(axis):
        case IntDistribution(low=low, high=high, step=step):
            return from_optuna(axis, asked.suggest_int(name, low, high, step=step))
        case FloatDistribution(low=low, high=high, log=log):
            return asked.suggest_float(name, low, high, log=log)
        case CategoricalDistribution(choices=choices):
            return from_optuna(axis, asked.suggest_categorical(name, choices))
        case other:
            raise AssertionError(f"no axis becomes {other}")
