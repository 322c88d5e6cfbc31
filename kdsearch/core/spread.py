"""Points spread over a space of choices, to learn from them what the others are like.

Both ends come first. Half of the rest is a Latin hypercube (McKay, Beckman & Conover, 1979,
Technometrics 21:239-245): each value of an axis as often as any other. The other half lies
along the way from smallest to largest, a level each: of many axes independent draws would all
come out of middling size (ours).
"""

import itertools
import random
from collections.abc import Iterator, Sequence

from kdsearch.core.seeds import derive
from kdsearch.core.space import Point, Space, Value

WIDTH = 0.25
"""Standard deviation of the axes' positions around a level, all axes from 0 to 1."""
TRIES = 20
"""Times as many draws as points are wanted; a small space is then gone through."""


def spread(space: Space, count: int, seed: int) -> list[Point]:
    """`count` distinct points, or all there are where those are no more; always the same for
    the same seed, and the two ends first."""
    if space.count() <= count:
        return list(space.points())
    rng = random.Random(derive(seed, "spread"))
    found: dict[tuple[Value, ...], Point] = {}
    for point in itertools.chain(drawn(space, count, rng), space.points()):
        found.setdefault(tuple(point.values()), point)
        if len(found) == count:
            break
    return list(found.values())


def drawn(space: Space, count: int, rng: random.Random) -> Iterator[Point]:
    """Many more than `count`, some of them twice."""
    yield space.smallest()
    yield space.largest()
    for _ in range(TRIES):
        cube, half = hypercube(space, count, rng), list(range(count))
        rng.shuffle(half)
        for level, point in zip(half, cube, strict=True):
            yield point
            yield along(space, (level + rng.random()) / count, rng)


def hypercube(space: Space, count: int, rng: random.Random) -> list[Point]:
    columns = {name: balanced(values, count, rng) for name, values in space.choices().items()}
    return [{name: column[i] for name, column in columns.items()} for i in range(count)]


def balanced(values: Sequence[Value], count: int, rng: random.Random) -> list[Value]:
    """Each value as often as any other, give or take one, in random order."""
    column = [values[i * len(values) // count] for i in range(count)]
    rng.shuffle(column)
    return column


def along(space: Space, level: float, rng: random.Random) -> Point:
    """Every axis about as far from its smallest value as the level says."""
    point: Point = {}
    for name, values in space.choices().items():
        at = min(max(rng.gauss(level, WIDTH), 0.0), 1.0)
        point[name] = values[min(int(at * len(values)), len(values) - 1)]
    return point
