"""Gains of students over the same students of a baseline, in pairs of equal seeds (ours).

Seeds are the sampling unit: all students of a seed share one teacher, so what a teacher brings
is first averaged over its students, and intervals are Student's, over the seeds.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import mean, stdev
from typing import NamedTuple

from kdsearch.measure.paired import Interval, difference, interval

Scores = Sequence[Sequence[float]]
"""By student, in the order of seeds."""
POWER = 0.8
"""Probability with which the smallest detectable gain is found."""


class Gains(NamedTuple):
    runs: tuple[float, ...]
    """Mean over the students, seed by seed."""
    mean: Interval
    students: tuple[Interval, ...]
    """Of each student, over the seeds."""
    improved: float
    """Share of the students whose mean gain is above 0."""
    detectable: float | None
    """Of the mean over students; None from a single seed."""

    @property
    def worst(self) -> int:
        """The student with the smallest mean gain: of so many, one is low by chance alone."""
        return min(range(len(self.students)), key=lambda at: self.students[at].mean)


def gains(ours: Scores, theirs: Scores) -> Gains:
    """Of at least one student, and of equal seeds in equal order."""
    pairs = list(zip(ours, theirs, strict=True))
    by_student = [[a - b for a, b in zip(*pair, strict=True)] for pair in pairs]
    runs = tuple(mean(of_seed) for of_seed in zip(*by_student, strict=True))
    students = tuple(difference(*pair) for pair in pairs)
    improved = sum(one.mean > 0 for one in students) / len(students)
    return Gains(runs, interval(runs), students, improved, smallest_detectable(runs))


def smallest_detectable(differences: Sequence[float]) -> float | None:
    """The gain that a two-sided paired t test at 5 % over as many seeds would find with a
    probability of 80 %: (t₀.₉₇₅ + t₀.₈) · standard deviation / √seeds.
    """
    seeds = len(differences)
    if seeds < 2:
        return None
    from scipy.stats import t  # slow to import

    reach = float(t.ppf(0.975, seeds - 1) + t.ppf(POWER, seeds - 1))
    return reach * stdev(differences) / sqrt(seeds)
