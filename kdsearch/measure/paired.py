"""What a few training runs tell: a mean and its interval, and of pairs, their difference's."""

from collections.abc import Sequence
from math import sqrt
from statistics import mean, stdev
from typing import NamedTuple


class Interval(NamedTuple):
    mean: float
    ci95: tuple[float, float] | None
    """None from a single run, which has none."""

    @property
    def says(self) -> str:
        """'better' or 'worse' of a difference whose interval leaves zero out, else nothing.

        An interval without any width says nothing either: shares of few images are so coarse
        that a few runs come out alike by chance.
        """
        if self.ci95 is None or self.ci95[0] <= 0 <= self.ci95[1]:
            return ""
        if self.ci95[0] == self.ci95[1]:
            return ""
        return "better" if self.ci95[0] > 0 else "worse"


def interval(values: Sequence[float]) -> Interval:
    """Mean and Student's 95 % interval over runs that differ in their seed alone."""
    centre = mean(values)
    if len(values) < 2:
        return Interval(centre, None)
    from scipy.stats import t  # slow to import

    half = float(t.ppf(0.975, len(values) - 1)) * stdev(values) / sqrt(len(values))
    return Interval(centre, (centre - half, centre + half))


def difference(ours: Sequence[float], theirs: Sequence[float]) -> Interval:
    """Of ours minus theirs, pair by pair: the same seed's runs saw the same images."""
    return interval([a - b for a, b in zip(ours, theirs, strict=True)])
