"""Axes of a space as Optuna's distributions, and values there and back."""

from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from kdsearch.core.space import Axis, Choice, Value
from kdsearch.search.pool import Pool


def joint_axes(pool: Pool, method: str) -> dict[str, Axis]:
    knobs = {f"{method}.{knob}": axis for knob, axis in pool.methods[method].axes.items()}
    method_axis = {"method": Choice(tuple(pool.methods))}
    return {**pool.architectures.axes, **method_axis, **knobs, **pool.training.axes}


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
