import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.core.space import Axis, Choice, Range, Space, Value
from kdsearch.errors import UserError

NUMBERS = st.floats(1e-6, 1e6)


VALUES = st.lists(
    st.integers(-50, 50) | st.sampled_from(["a", "b", "c"]), min_size=1, max_size=5, unique=True
)
ENDS = st.tuples(NUMBERS, NUMBERS, st.booleans()).filter(lambda ends: ends[0] < ends[1])
NAMES = st.text(max_size=3)


def axis_of(drawn: list[Value] | tuple[float, float, bool]) -> Axis:
    return Choice(tuple(drawn)) if isinstance(drawn, list) else Range(*drawn)


def space_of(drawn: dict[str, list[Value] | tuple[float, float, bool]]) -> Space:
    return Space({name: axis_of(axis) for name, axis in drawn.items()})


@given(st.dictionaries(NAMES, VALUES | ENDS, max_size=5), st.integers())
def test_a_drawn_point_is_in_the_space(drawn: dict[str, list[Value]], seed: int) -> None:
    space = space_of(drawn)
    point = space.draw(random.Random(seed))
    space.check(point)
    code = space.encode(point)
    assert len(code) == len(space.axes)
    assert all(0 <= x <= 1 for x in code)


class Extreme(random.Random):
    """Draws the ends of [0, 1]: the worst that `uniform` can do."""

    def __init__(self, number: float) -> None:
        super().__init__()
        self.number = number

    def random(self) -> float:
        return self.number


@given(ENDS, st.sampled_from([0.0, 1.0]))
def test_a_range_holds_its_own_ends(ends: tuple[float, float, bool], end: float) -> None:
    axis = Range(*ends)
    drawn = axis.draw(Extreme(end))
    assert axis.holds(drawn)
    assert drawn == pytest.approx(axis.high if end else axis.low)


def test_exp_of_log_does_not_leave_the_range() -> None:
    assert math.exp(math.log(10.0)) > 10  # what the axis has to mend
    assert Range(1.0, 10.0, log=True).draw(Extreme(1.0)) == 10


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_count_is_the_number_of_distinct_points(drawn: dict[str, list[Value]]) -> None:
    space = space_of(drawn)
    points = [tuple(point.items()) for point in space.points()]
    assert space.count() == len(points) == len(set(points))
    assert points[0] == tuple(space.smallest().items())
    assert points[-1] == tuple(space.largest().items())
    assert [dict(point) for point in points] == [
        dict(zip(space.axes, values, strict=True))
        for values in itertools.product(*(axis.values for axis in space.axes.values()))
    ]


def test_every_value_of_a_choice_is_drawn() -> None:
    rng = random.Random(0)
    drawn = [Choice((1, 2, 3)).draw(rng) for _ in range(300)]
    assert all(drawn.count(value) > 60 for value in (1, 2, 3))


@pytest.mark.parametrize(("log", "median"), [(False, 50.5), (True, 10.0)])
def test_a_range_is_drawn_uniformly_or_in_the_logarithm(log: bool, median: float) -> None:
    axis, rng = Range(1.0, 100.0, log=log), random.Random(0)
    below = sum(axis.draw(rng) < median for _ in range(2000))
    assert 900 < below < 1100


@pytest.mark.parametrize(
    ("axis", "value", "code"),
    [
        (Choice((2, 4, 8)), 2, 0.0),
        (Choice((2, 4, 8)), 4, 0.5),
        (Choice((2, 4, 8)), 8, 1.0),
        (Choice((7,)), 7, 0.0),
        (Range(2.0, 10.0), 4.0, 0.25),
        (Range(1.0, 100.0, log=True), 10.0, 0.5),
    ],
)
def test_codes_by_hand(axis: Axis, value: float, code: float) -> None:
    assert Space({"x": axis}).encode({"x": value}) == pytest.approx((code,))


def test_codes_follow_the_order_of_the_axes() -> None:
    space = Space({"b": Choice((1, 2)), "a": Choice((1, 2))})
    assert space.encode({"a": 2, "b": 1}) == (0.0, 1.0)


SPACE = Space({"width": Choice((2, 4)), "rate": Range(0.5, 1.5)})


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ({"widht": 2, "rate": 1.0}, ("unknown axis 'widht'", "did you mean 'width'?")),
        ({"width": 3, "rate": 1.0}, ("width = 3", "one of 2, 4")),
        ({"width": 2, "rate": 1.6}, ("rate = 1.6", "0.5 to 1.5")),
        ({"width": 2, "rate": "1"}, ("rate = '1'", "write it without quotes")),
        ({"width": "3", "rate": 1.0}, ("width = 3", "one of 2, 4")),
        ({"width": 2}, ("missing: rate",)),
    ],
)
def test_check_names_the_axis_and_the_way_out(
    point: dict[str, float], words: tuple[str, ...]
) -> None:
    with pytest.raises(UserError) as caught:
        SPACE.check(point)
    assert all(word in str(caught.value) for word in words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ask", [Space.smallest, Space.largest, Space.count])
def test_a_space_with_a_range_has_no_ends(ask: object) -> None:
    with pytest.raises(UserError, match="range"):
        ask(SPACE)  # type: ignore[operator]


@pytest.mark.parametrize("values", [(), (1, 1), (2, 4, 2)])
def test_a_choice_needs_distinct_values(values: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="distinct"):
        Choice(values)


@pytest.mark.parametrize(
    ("low", "high", "log"),
    [(1.0, 1.0, False), (2.0, 1.0, False), (0.0, 1.0, True), (-1.0, 1.0, True)],
)
def test_a_range_needs_two_ends_in_order(low: float, high: float, log: bool) -> None:
    with pytest.raises(UserError, match="low < high"):
        Range(low, high, log)


def test_values_are_of_their_kind() -> None:
    """True equals 1 and 2.0 equals 2, but a method that counts views takes neither."""
    axes = {"views": Choice((1, 2, 4)), "drg": Choice((False, True)), "tau": Choice((1.0, 2.0))}
    space = Space(axes)
    space.check({"views": 2, "drg": True, "tau": 2})
    for point, line in (
        ({"views": True}, "views = true; allowed: one of 1, 2, 4"),
        ({"views": 2.0}, "views = 2.0; allowed: one of 1, 2, 4"),
        ({"drg": 1}, "drg = 1; allowed: one of false, true"),
        ({"tau": True}, "tau = true; allowed: one of 1.0, 2.0"),
    ):
        with pytest.raises(UserError) as caught:
            space.check(point, whole=False)
        assert str(caught.value) == line
