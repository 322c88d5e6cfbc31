"""How sure it is that a bound holds, from a value and its 95 % interval.

With g the logarithm for a cost and the identity for a score, v the value, e the interval's end
on the limit's side: P(true value <= limit) = Phi(1.96 (g(limit) - g(v)) / |g(e) - g(v)|). That
is a normal variable whose spread may differ on its two sides; at the upper end it gives 97.5 %.
An interval of a prediction is one of 90 %: 1.645 in the place of 1.96, and 95 % at its end.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

Z = 1.959963984540054
"""Of a normal variable, 95 % lie within so many standard deviations."""
Z90 = 1.6448536269514722
"""And 90 %."""


@dataclass(frozen=True, slots=True)
class Known:
    """A quantity of one student, as far as it is known."""

    value: float
    ci95: tuple[float, float] | None = None
    """None: how far it may be off is not known."""
    is_cost: bool = True
    """Positive, and off by a factor; a score is off by a difference."""
    is_predicted: bool = False
    """Whether nobody measured it: then the interval is one of 90 %."""

    @classmethod
    def exactly(cls, value: float) -> "Known":
        """One that is counted."""
        return cls(value, (value, value))

    @property
    def is_exact(self) -> bool:
        return self.ci95 == (self.value, self.value)


def confidence(known: Known, limit: float, *, upper: bool) -> float | None:
    """The probability that the true value is on the right side of `limit`, in [0, 1].

    None where the interval is not known.
    """
    if known.ci95 is None:
        return None
    if known.is_exact:
        return float(known.value <= limit if upper else known.value >= limit)
    low, high = known.ci95
    room = distance(known, known.value, limit)
    within = Z90 if known.is_predicted else Z
    end = (known.value, high) if room > 0 else (low, known.value)
    spread = distance(known, *end) / within
    steps = room / spread if spread > 0 else math.copysign(math.inf, room) if room else 0.0
    below = (1 + math.erf(steps / math.sqrt(2))) / 2
    return below if upper else 1 - below


def distance(known: Known, start: float, end: float) -> float:
    """From one value to another on the scale that errors are normal on."""
    if known.is_cost and start > 0 and end > 0:
        return math.log(end / start)
    return end - start


def together(each: Iterable[float | None]) -> float | None:
    """At least so sure that all hold, whatever they have to do with each other.

    Bonferroni's inequality; p50 and p95 of one network are far from independent.
    """
    found = list(each)
    if None in found:
        return None
    return max(0.0, 1 - sum(1 - one for one in found if one is not None))
