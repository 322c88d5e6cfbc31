import random

from kdsearch.core.paths import sandwich
from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space

SPACE = Space({"width": Choice((2, 4, 8)), "depth": Choice((1, 2, 3))})


def test_a_sandwich_is_largest_smallest_and_drawn_ones() -> None:
    paths = sandwich(SPACE, random.Random(0), 3)
    assert len(paths) == 5
    assert paths[0] == Architecture.of({"width": 8, "depth": 3})
    assert paths[1] == Architecture.of({"width": 2, "depth": 1})
    rng = random.Random(0)
    assert paths[2:] == tuple(Architecture.of(SPACE.draw(rng)) for _ in range(3))


def test_drawn_paths_reach_the_whole_space() -> None:
    drawn = {p for seed in range(100) for p in sandwich(SPACE, random.Random(seed), 2)[2:]}
    assert len(drawn) == SPACE.count()
