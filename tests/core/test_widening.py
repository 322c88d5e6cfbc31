"""Numbers may leave an axis's own values, not their kind, sign and scale; names may not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.core.space import Axis, Choice, Range, Value
from kdsearch.core.widening import widens, wider

NUMBERS = st.floats(-1e6, 1e6)
RANGES = st.tuples(NUMBERS, NUMBERS).filter(lambda ends: ends[0] < ends[1])
WHOLE = st.lists(st.integers(-9, 9), min_size=1, max_size=4, unique=True)


@pytest.mark.parametrize(
    ("axis", "inside", "outside"),
    [
        (Range(1.0, 10.0, log=True), [0.5, 32, 1e9], [0, -1, True, "4", math.inf, math.nan]),
        (Range(0.1, 0.95), [0.01, 1, 1.0], [0, 1.01]),
        (Range(0.0, 0.2), [0, 1], [-0.1, 1.5]),
        (Range(0.0, 4.0), [0, 400.5], [-1]),
        (Range(-1.0, 1.0), [-30.0, 30], [math.nan]),
        (Choice((16, 32)), [1, 17, 1000], [0, -16, 17.5, 17.0, True]),
        (Choice((0, 1)), [0, 7], [-1, 0.5]),
        (Choice((1.0, 2.0, 4.0)), [0.5, 3, 8.0], [0.0]),
        (Choice((False, True)), [True], [0, 1, 2]),
        (Choice(("mean", "sum")), ["sum"], ["max", 1]),
        (Choice((1, "all")), [1, "all"], [2, "none"]),
    ],
)
def test_what_an_axis_may_be_widened_to(
    axis: Axis, inside: list[Value], outside: list[Value]
) -> None:
    assert [value for value in inside if not widens(axis, value)] == []
    assert [value for value in outside if widens(axis, value)] == []


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        (Range(1.0, 10.0), "any number above 0"),
        (Range(0.0, 4.0), "any number of at least 0"),
        (Range(0.1, 0.95), "any number above 0 and at most 1"),
        (Range(0.0, 0.2), "any number of at least 0 and at most 1"),
        (Range(-1.0, 1.0), "any number"),
        (Choice((16, 32)), "any whole number above 0"),
    ],
)
def test_the_rule_in_words(axis: Axis, words: str) -> None:
    assert str(wider(axis)) == words


@given(RANGES, NUMBERS)
def test_a_range_keeps_its_sign_and_takes_its_own(
    ends: tuple[float, float], value: float
) -> None:
    axis = Range(*ends)
    assert widens(axis, ends[0]) and widens(axis, ends[1])
    if widens(axis, value):
        assert value >= 0 or ends[0] < 0
        assert value != 0 or ends[0] <= 0
        assert value <= 1 or ends[1] > 1 or ends[0] < 0


@given(WHOLE, st.integers(-99, 99) | NUMBERS)
def test_whole_numbers_stay_whole(values: list[int], value: Value) -> None:
    axis = Choice(tuple(values))
    if widens(axis, value):
        assert axis.holds(value) or type(value) is int
