"""A space of choices: draw a point, check it, encode it, count the points, list them."""

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kdsearch.errors import UserError, did_you_mean

Value: TypeAlias = int | float | str
Point: TypeAlias = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values; numbers are listed from small to large."""

    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.values or len(set(self.values)) != len(self.values):
            raise UserError(f"a choice needs distinct values, at least one: {self.values}")

    def draw(self, rng: random.Random) -> Value:
        return rng.choice(self.values)

    def holds(self, value: Value) -> bool:
        """Whether it is one of them, and of its kind: true is not 1, nor 2.0 a 2."""
        return any(value == own and is_alike(value, own) for own in self.values)

    def encode(self, value: Value) -> float:
        """Position of `value` in [0, 1]."""
        return self.values.index(value) / max(1, len(self.values) - 1)

    def __str__(self) -> str:
        return f"one of {', '.join(map(written, self.values))}"


@dataclass(frozen=True, slots=True)
class Range:
    """A real interval, drawn from uniformly or uniformly in the logarithm."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise UserError(
                "a range needs low < high, and low > 0 if logarithmic: "
                f"{self.low} to {self.high}"
            )

    def draw(self, rng: random.Random) -> Value:
        if self.log:
            drawn = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
            return min(max(drawn, self.low), self.high)  # exp(log(10)) is above 10
        return rng.uniform(self.low, self.high)

    def holds(self, value: Value) -> bool:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and self.low <= float(value) <= self.high

    def encode(self, value: Value) -> float:
        """Position of `value` in [0, 1]."""
        low, high, at = self.low, self.high, float(value)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low)

    def __str__(self) -> str:
        return f"{self.low} to {self.high}{' (logarithmic)' if self.log else ''}"


Axis: TypeAlias = Choice | Range


@dataclass(frozen=True, slots=True)
class Space:
    """Named axes; a point gives each axis one value.

    `smallest`, `largest`, `count` and `points` are for spaces of choices alone.
    """

    axes: Mapping[str, Axis]

    def draw(self, rng: random.Random) -> Point:
        return {name: axis.draw(rng) for name, axis in self.axes.items()}

    def check(self, point: Mapping[str, Value], *, whole: bool = True) -> None:
        """Raises UserError where a name or a value is not of this space, or one is missing."""
        for name, value in point.items():
            if name not in self.axes:
                raise UserError(f"unknown axis '{name}'; {did_you_mean(name, self.axes)}")
            if not self.axes[name].holds(value):
                raise UserError(not_allowed(name, value, self.axes[name]))
        missing = [name for name in self.axes if whole and name not in point]
        if missing:
            raise UserError(f"missing: {', '.join(missing)}")

    def encode(self, point: Mapping[str, Value]) -> tuple[float, ...]:
        """One number in [0, 1] per axis, in the order of the axes."""
        return tuple(axis.encode(point[name]) for name, axis in self.axes.items())

    def choices(self) -> dict[str, tuple[Value, ...]]:
        """The values of each axis; raises UserError where one is a range."""
        choices = {n: a.values for n, a in self.axes.items() if isinstance(a, Choice)}
        if len(choices) != len(self.axes):
            raise UserError("a space with a range has no smallest, largest or count")
        return choices

    def smallest(self) -> Point:
        return {name: values[0] for name, values in self.choices().items()}

    def largest(self) -> Point:
        return {name: values[-1] for name, values in self.choices().items()}

    def count(self) -> int:
        return math.prod(len(values) for values in self.choices().values())

    def points(self) -> Iterator[Point]:
        """Every point, the last axis running fastest."""
        choices = self.choices()
        for values in itertools.product(*choices.values()):
            yield dict(zip(choices, values, strict=True))


def not_allowed(name: str, value: Value, axis: Axis) -> str:
    """What is wrong with a value that the axis does not hold."""
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        number = math.nan
    if any(
        axis.holds(kind) for kind in (number, int(number) if number.is_integer() else number)
    ):
        return f"{name} = {value!r}; allowed: {axis}; write it without quotes"
    return f"{name} = {written(value)}; allowed: {axis}"


def is_alike(value: Value, own: Value) -> bool:
    """Of the same type, or a whole number where a real one is asked for."""
    return type(value) is type(own) or (type(value) is int and type(own) is float)


def written(value: Value) -> str:
    """As a config writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
