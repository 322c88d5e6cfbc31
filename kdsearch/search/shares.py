"""The shares that axes have in what makes scores differ, with what chance would give (ours).

A share is fANOVA's (study/importance.py). It is found anew in bootstrap resamples of the
trials, for an interval, and for shuffled scores, for what a forest finds where nothing is: an
axis of many values gets more of that than one of two, so each has a level of its own.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kdsearch.core.seeds import derive
from kdsearch.core.space import Point
from kdsearch.search.study.importance import importances

TREES, FEW_TREES = 64, 16
"""Of the forest behind a share, and of those behind its interval and its chance level."""
RESAMPLES, SHUFFLES = 20, 40
MOST = 256
"""Trials that a forest is fitted to: more are sampled, which makes intervals wider."""
FEWEST = 10
PARTS = ("architecture", "method", "training")


@dataclass(frozen=True, slots=True)
class Share:
    """Of the variance of a score, in [0, 1]."""

    share: float
    ci95: tuple[float, float]
    chance: float
    """What shuffled scores do not exceed in 19 of 20 cases."""

    @property
    def is_told(self) -> bool:
        """Whether it is more than chance gives."""
        return self.share > self.chance


@dataclass(frozen=True, slots=True)
class Shares:
    """Of some axes, over the trials that have all of them."""

    trials: int
    needed: int
    """Trials below which nothing is said."""
    axes: Mapping[str, Share] = field(default_factory=dict)
    """Most important first; empty where there are too few trials, or no axis varies."""
    parts: Mapping[str, Share] = field(default_factory=dict)
    """Sums over the axes of PARTS."""


def varying(points: Sequence[Point], names: Sequence[str]) -> list[str]:
    """Axes with more than one value, of those that all points have."""
    shared = [name for name in names if all(name in point for point in points)]
    return [name for name in shared if len({point[name] for point in points}) > 1]


def needed(points: Sequence[Point]) -> int:
    """Trials that say something of their axes: two for each, ten at least."""
    return max(FEWEST, 2 * len(varying(points, list(points[0])))) if points else FEWEST


def shares(
    points: Sequence[Point],
    scores: Sequence[float],
    names: Sequence[str],
    part: Mapping[str, str],
    seed: int,
) -> Shares:
    """Shares of the axes `names` that vary, and the sums of those that have a part."""
    axes = varying(points, names)
    kept = [{name: point[name] for name in axes} for point in points]
    enough = needed(kept)
    if len(kept) < enough or not axes:
        return Shares(len(kept), enough)
    once, often, shuffled = draws(kept, scores, seed)

    def of(names: Sequence[str]) -> Share:
        level = quantile([total(found, names) for found in shuffled], 0.95)
        return share_of(once, often, names, level)

    of_axes = {name: of([name]) for name in axes}
    ranked = dict(sorted(of_axes.items(), key=lambda item: -item[1].share))
    groups = {p: [name for name in axes if part.get(name) == p] for p in PARTS}
    sums = {p: of(names) for p, names in groups.items() if names}
    return Shares(len(kept), enough, ranked, sums)


Found = Mapping[str, float]


def draws(
    points: Sequence[Point], scores: Sequence[float], seed: int
) -> tuple[Found, list[Found], list[Found]]:
    """Shares in the trials themselves, in resamples of them, and with shuffled scores."""
    rng = random.Random(derive(seed, "explain"))
    count = len(points)
    some = list(range(count)) if count <= MOST else sorted(rng.sample(range(count), MOST))

    def fitted(of: Sequence[int], to: Sequence[int], trees: int, number: int) -> Found:
        return importances(
            [points[i] for i in of],
            [scores[i] for i in to],
            trees=trees,
            seed=derive(seed, "forest", number),
        )

    def repeated(draw: Callable[[], tuple[list[int], list[int]]], times: int) -> list[Found]:
        return [fitted(*draw(), FEW_TREES, number) for number in range(times)]

    def resample() -> tuple[list[int], list[int]]:
        chosen = [rng.randrange(count) for _ in some]
        return chosen, chosen

    once = fitted(some, some, TREES, 0)
    often = repeated(resample, RESAMPLES)
    return once, often, repeated(lambda: (some, rng.sample(some, len(some))), SHUFFLES)


def share_of(once: Found, often: Sequence[Found], names: Sequence[str], chance: float) -> Share:
    """Of some axes together; an interval holds the share itself."""
    value = total(once, names)
    spread = [total(found, names) for found in often]
    low, high = quantile(spread, 0.025), quantile(spread, 0.975)
    return Share(value, (min(low, value), max(high, value)), chance)


def total(found: Found, names: Sequence[str]) -> float:
    return sum(found[name] for name in names)


def quantile(values: Sequence[float], share: float) -> float:
    """Between the two nearest of the values in order, in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
