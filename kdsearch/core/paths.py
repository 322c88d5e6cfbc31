"""Which subnets a supernet's training step sees."""

import random
from collections.abc import Mapping

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space, Value

Weights = Mapping[str, Mapping[Value, float]]
"""By axis, how often each of its values is drawn, in any scale; an axis without: evenly."""


def largest(space: Space) -> Architecture:
    return Architecture.of(space.largest())


def smallest(space: Space) -> Architecture:
    return Architecture.of(space.smallest())


def drawn(space: Space, rng: random.Random, weights: Weights | None = None) -> Architecture:
    """One student, each axis drawn on its own."""
    if weights is None:
        return Architecture.of(space.draw(rng))
    point = {}
    for name, values in space.choices().items():
        of_axis = weights.get(name)
        odds = [1.0 if of_axis is None else of_axis[value] for value in values]
        point[name] = rng.choices(values, odds)[0]
    return Architecture.of(point)


def sandwich(
    space: Space, rng: random.Random, randoms: int, weights: Weights | None = None
) -> tuple[Architecture, ...]:
    """Largest, smallest and `randoms` drawn ones (Yu & Huang, 2019, arXiv:1903.05134, 3.2)."""
    rest = (drawn(space, rng, weights) for _ in range(randoms))
    return (largest(space), smallest(space), *rest)
