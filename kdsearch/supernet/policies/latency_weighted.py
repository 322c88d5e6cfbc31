"""Policy `latency_weighted`: a sandwich whose middle is spread evenly over costs, not over
choices, which crowd around the middle (after the cost-binned prior of Wang et al., 2021,
arXiv:2011.09011, sec. 3).

Ours: cost is multiply-accumulates, which need no measuring, in eight bins of equal ratio; the
students come from a pool drawn once.
"""

import math
import random

from torch import nn

from kdsearch.core.paths import drawn, largest, smallest
from kdsearch.core.records import Architecture
from kdsearch.core.seeds import derive
from kdsearch.core.space import Space
from kdsearch.supernet.policies.policy import Terms

BINS = 8
POOL = 96
"""Students whose cost is counted, at a few hundredths of a second each."""


class LatencyWeighted(nn.Module):
    """See `Policy`."""

    largest_first = True
    note = None

    def __init__(self, terms: Terms) -> None:
        super().__init__()
        self.randoms = terms.randoms
        self.space = terms.space
        rng = random.Random(derive(terms.seed, "pool"))
        ends = [smallest(terms.space), largest(terms.space)]
        self.bins = binned([*ends, *pool(terms.space, rng)], terms)

    def paths(self, space: Space, rng: random.Random, step: int) -> tuple[Architecture, ...]:
        """While a part of the space is closed, those of the pool that lie in the open one."""
        usable = self.bins if space is self.space else within(space, self.bins)
        middle = (rng.choice(rng.choice(usable)) for _ in range(self.randoms))
        return (largest(space), smallest(space), *middle)


def pool(space: Space, rng: random.Random) -> list[Architecture]:
    if space.count() <= POOL:
        return [Architecture.of(point) for point in space.points()]
    return [drawn(space, rng) for _ in range(POOL)]


def binned(students: list[Architecture], terms: Terms) -> list[list[Architecture]]:
    """Students by the logarithm of their cost, cheap to dear; the first two are the ends."""
    logs = [math.log(terms.cost(student)) for student in students]
    low, high = logs[0], logs[1]
    bins: list[list[Architecture]] = [[] for _ in range(BINS)]
    for student, cost in zip(students, logs, strict=True):
        place = int(BINS * (cost - low) / max(high - low, 1e-9))
        bins[min(max(place, 0), BINS - 1)].append(student)
    return [each for each in bins if each]


def within(space: Space, bins: list[list[Architecture]]) -> list[list[Architecture]]:
    """The members that a part of the space has; its largest where it has none of them."""
    inside = [[student for student in each if holds(space, student)] for each in bins]
    return [each for each in inside if each] or [[largest(space)]]


def holds(space: Space, student: Architecture) -> bool:
    return all(space.axes[name].holds(value) for name, value in student.choices)
