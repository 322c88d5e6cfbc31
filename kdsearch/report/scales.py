"""From numbers to places on paper: linear and logarithmic scales with round ticks."""

import math
from dataclasses import dataclass

TINY = 1e-200
"""Closer together than so, numbers are one to a linear axis."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps [low, high] to [start, end], which may run backwards (a y axis)."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def ticks(self, about: int = 5) -> list[float]:
        return (log_ticks if self.log else nice_ticks)(self.low, self.high, about)


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten in [low, high]; nearly `about` many."""
    decade = math.floor(math.log10((high - low) / about))
    steps = [float(f"{m}e{d}") for d in (decade, decade + 1) for m in (1, 2, 2.5, 5)]
    return min((_multiples(s, low, high) for s in steps), key=lambda t: abs(len(t) - about))


def _multiples(step: float, low: float, high: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = 6 - math.floor(math.log10(step))
    return [round(i * step, digits) for i in range(first, last + 1)]


def log_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """1, 2 and 5 times powers of ten in [low, high]; linear ticks where these are too few."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for multiples in ((1, 2, 5), (1, 3), (1,)):
        ticks = [float(f"{m}e{d}") for d in decades for m in multiples]
        ticks = [t for t in ticks if low * (1 - 1e-9) <= t <= high * (1 + 1e-9)]
        if len(ticks) <= 2 * about:
            break
    sparse = ticks[:: math.ceil(len(ticks) / (2 * about + 2))] if ticks else []
    return sparse if len(sparse) >= 3 else nice_ticks(low, high, about)


def padded(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """The interval with a margin; a single value gets a width of its own."""
    if high - low <= max(1e-9 * max(abs(low), abs(high)), TINY):
        half = abs(low) * 0.1 if abs(low) > TINY else 0.5
        return low - half, high + half
    return low - share * (high - low), high + share * (high - low)


def padded_log(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """As `padded`, for positive numbers on a logarithmic axis; high / low becomes 3 or more.

    On a shorter axis the noise of one measurement would fill the picture.
    """
    factor = max((high / low) ** share, (3 * low / high) ** 0.5)
    return low / factor, high * factor
