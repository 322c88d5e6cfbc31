"""Which subnets a supernet's training step sees."""

import random

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space


def sandwich(space: Space, rng: random.Random, randoms: int) -> tuple[Architecture, ...]:
    """Largest, smallest and `randoms` drawn ones (Yu & Huang, 2019, arXiv:1903.05134, 3.2)."""
    ends = (space.largest(), space.smallest())
    drawn = (space.draw(rng) for _ in range(randoms))
    return tuple(Architecture.of(point) for point in (*ends, *drawn))
