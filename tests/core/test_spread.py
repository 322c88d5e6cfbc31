"""Points spread over a space: distinct, both ends, every value, small and large ones."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kdsearch.core.space import Choice, Point, Space
from kdsearch.core.spread import spread

LARGE = Space({f"stage{n}": Choice(tuple(range(1, 4))) for n in range(20)})


def size(point: Point) -> int:
    return sum(int(value) for value in point.values())


def test_both_ends_come_first_and_no_point_twice() -> None:
    found = spread(LARGE, 60, seed=3)
    assert len(found) == 60
    assert found[:2] == [LARGE.smallest(), LARGE.largest()]
    assert len({tuple(point.values()) for point in found}) == 60


def test_the_same_seed_gives_the_same_points_and_another_others() -> None:
    assert spread(LARGE, 30, seed=1) == spread(LARGE, 30, seed=1)
    assert spread(LARGE, 30, seed=1)[2:] != spread(LARGE, 30, seed=2)[2:]


def test_every_value_of_every_axis_is_met_often() -> None:
    found = spread(LARGE, 60, seed=0)
    for axis in LARGE.axes:
        counts = Counter(point[axis] for point in found)
        assert min(counts[value] for value in (1, 2, 3)) >= 10


def test_sizes_reach_far_beyond_those_of_independent_draws() -> None:
    """The sum of 20 independent draws from 1 to 3 has mean 40 and deviation 3.65: sums below 30
    or above 50 are then one in 150."""
    sizes = [size(point) for point in spread(LARGE, 60, seed=0)]
    assert sum(n < 30 for n in sizes) >= 5
    assert sum(n > 50 for n in sizes) >= 5


@given(
    widths=st.lists(st.integers(1, 4), min_size=1, max_size=5),
    count=st.integers(2, 40),
    seed=st.integers(0, 9),
)
def test_as_many_as_asked_for_or_all_there_are(
    widths: list[int], count: int, seed: int
) -> None:
    space = Space({f"axis{n}": Choice(tuple(range(w))) for n, w in enumerate(widths)})
    found = spread(space, count, seed)
    distinct = {tuple(point.values()) for point in found}
    assert len(distinct) == len(found) == min(count, space.count())
    for point in found:
        space.check(point)


def test_all_but_one_of_a_small_space() -> None:
    """The last few are rarely drawn by chance, and found all the same."""
    space = Space({f"axis{n}": Choice((0, 1)) for n in range(6)} | {"width": Choice((1, 2, 3))})
    assert len(spread(space, 191, seed=0)) == 191
