"""Fronts, layers, crowding and volumes against the definitions, read word for word."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.core.pareto import (
    contributions,
    crowding,
    dominates,
    front,
    hypervolume,
    knee,
    layers,
    spread_by_layer,
)

SIDE = 6
GRID = st.integers(1, SIDE).map(float)


def points_of(
    dimensions: int, max_size: int = 12
) -> st.SearchStrategy[list[tuple[float, ...]]]:
    return st.lists(st.tuples(*[GRID] * dimensions), max_size=max_size)


POINTS = st.integers(1, 3).flatmap(points_of)


def beats(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    """Not worse in any objective, better in one."""
    no_worse = not any(a[k] > b[k] for k in range(len(a)))
    return no_worse and any(a[k] < b[k] for k in range(len(a)))


@given(points_of(3))
def test_dominance(points: list[tuple[float, ...]]) -> None:
    for a, b in itertools.product(points, repeat=2):
        assert dominates(a, b) == beats(a, b)


@given(POINTS)
def test_the_front_is_what_nothing_dominates(points: list[tuple[float, ...]]) -> None:
    found = front(points)
    expected = [i for i, p in enumerate(points) if sum(beats(q, p) for q in points) == 0]
    assert found == expected
    assert not points or found


@given(POINTS)
def test_a_layer_is_the_longest_chain_of_better_points(points: list[tuple[float, ...]]) -> None:
    """Peeling fronts one by one gives each point the length of its longest dominating chain."""

    def depth(p: tuple[float, ...]) -> int:
        return max((1 + depth(q) for q in points if beats(q, p)), default=0)

    assert layers(points) == [depth(p) for p in points]


@given(POINTS)
def test_the_first_layer_is_the_front(points: list[tuple[float, ...]]) -> None:
    assert [i for i, layer in enumerate(layers(points)) if layer == 0] == front(points)


@given(st.lists(st.tuples(*[st.floats(-10, 10)] * 2), min_size=1, max_size=12))
def test_crowding_is_the_gap_between_neighbours(points: list[tuple[float, float]]) -> None:
    axes = list(zip(*points, strict=True))
    distinct = [axis for axis in axes if len(set(axis)) == len(axis)]
    if len(distinct) < len(axes):
        return  # the definition leaves ties open
    for i, distance in enumerate(crowding(points)):
        expected = 0.0
        for axis in axes:
            below = [x for x in axis if x < axis[i]]
            above = [x for x in axis if x > axis[i]]
            gap = min(above) - max(below) if below and above else math.inf
            expected += gap / (max(axis) - min(axis) or 1)
        assert distance == pytest.approx(expected)


def test_crowding_by_hand() -> None:
    """Axes 0..10 and 0..100: the middle points span 4/10 + 70/100 and 8/10 + 60/100."""
    points = [(0.0, 100.0), (2.0, 60.0), (4.0, 30.0), (10.0, 0.0)]
    assert crowding(points) == pytest.approx([math.inf, 1.1, 1.4, math.inf])
    assert crowding([]) == []
    assert crowding([(1.0, 2.0)]) == [math.inf]


@given(st.integers(1, 3).flatmap(lambda d: points_of(d, max_size=6)))
def test_hypervolume_counts_the_dominated_cells(points: list[tuple[float, ...]]) -> None:
    """The unit cells of the grid below the reference whose corner some point reaches."""
    dimensions = len(points[0]) if points else 2
    reference = (float(SIDE),) * dimensions
    cells = itertools.product(range(SIDE), repeat=dimensions)

    def reached(cell: tuple[float, ...]) -> bool:
        return any(all(p[k] <= cell[k] for k in range(dimensions)) for p in points)

    dominated = sum(map(reached, cells))
    assert hypervolume(points, reference) == pytest.approx(dominated)


def test_hypervolume_by_hand() -> None:
    """Two boxes of 3 x 1 and 1 x 3 from (4, 4) that share a unit square."""
    assert hypervolume([(1.0, 3.0), (3.0, 1.0)], (4.0, 4.0)) == pytest.approx(5)
    assert hypervolume([(4.0, 1.0), (5.0, 0.0)], (4.0, 4.0)) == 0
    assert hypervolume([], (1.0, 1.0)) == 0


def test_the_knee_is_nearest_to_the_ideal_on_equal_scales() -> None:
    points = [(0.0, 1000.0), (0.3, 300.0), (0.6, 150.0), (1.0, 0.0)]
    assert knee(points) == 1
    assert knee([(0.0, 1.0), (0.5, 0.5), (0.6, 0.0), (1.0, 0.0)]) == 2  # by length, 0.6 < 0.71
    assert knee([(5.0, 5.0)]) == 0
    assert knee([(1.0, 7.0), (0.0, 7.0)]) == 1  # an axis without extent does not count


@given(POINTS, st.integers(0, 15))
def test_spread_takes_whole_layers_before_the_next(
    points: list[tuple[float, ...]], count: int
) -> None:
    chosen = spread_by_layer(points, count)
    assert len(chosen) == len(set(chosen)) == min(count, len(points))
    taken = [layers(points)[i] for i in chosen]
    assert taken == sorted(layers(points))[:count]


def test_spread_takes_the_ends_then_the_loneliest() -> None:
    points = [(0.0, 10.0), (1.0, 9.0), (2.0, 8.0), (6.0, 2.0), (10.0, 0.0), (11.0, 11.0)]
    assert set(spread_by_layer(points, 2)) == {0, 4}
    assert spread_by_layer(points, 3)[2] == 3
    assert spread_by_layer(points, 6)[5] == 5


def scaled(points: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    axes = list(zip(*points, strict=True))
    spans = [max(axis) - min(axis) or 1.0 for axis in axes]
    return [
        tuple((x - min(axis)) / span for x, axis, span in zip(p, axes, spans, strict=True))
        for p in points
    ]


@given(st.integers(2, 3).flatmap(lambda d: points_of(d, max_size=8)))
def test_a_contribution_is_the_hypervolume_with_less_that_without(
    drawn: list[tuple[float, ...]],
) -> None:
    points = [drawn[i] for i in front(drawn)]
    found = contributions(points)
    assert len(found) == len(points)
    if not points:
        return
    best = [min(axis) for axis in zip(*points, strict=True)]
    reference = [1.0] * len(best)
    whole = hypervolume(scaled(points), reference)
    for i, point in enumerate(points):
        others = [q for k, q in enumerate(scaled(points)) if k != i]
        alone = whole - hypervolume(others, reference)
        is_end = any(x == low for x, low in zip(point, best, strict=True))
        if is_end and points.count(point) == 1:
            assert found[i] == math.inf
        else:
            assert found[i] == pytest.approx(alone, abs=1e-12)


def test_contributions_by_hand() -> None:
    """Scaled: (0, 1), (.25, .5), (.5, .25), (1, 0); the inner ones alone add .25 × .5."""
    points = [(0.0, 8.0), (1.0, 4.0), (2.0, 2.0), (4.0, 0.0)]
    assert contributions(points) == pytest.approx([math.inf, 0.125, 0.125, math.inf])
    assert contributions([(1.0, 2.0)]) == [math.inf]
    assert contributions([(1.0, 2.0)] * 2) == [0.0, 0.0], "either alone is no loss"
