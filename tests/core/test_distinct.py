import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.core.distinct import distinguishable

INTERVAL = st.lists(st.floats(0, 10), min_size=2, max_size=2).map(sorted)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ((1.0, 2.0), (2.5, 3.0), True),
        ((1.0, 2.0), (1.9, 3.0), False),
        ((1.0, 2.0), (2.0, 3.0), False),
        ((1.0, 9.0), (2.0, 3.0), False),
        ([1.0, 1.0], [1.0, 1.0], False),
    ],
)
def test_apart_is_who_does_not_overlap(one, other, apart):
    assert distinguishable(one, other) == distinguishable(other, one) == apart


@given(INTERVAL, INTERVAL)
def test_no_value_lies_in_both_of_two_that_are_apart(one, other):
    lowest, highest = max(one[0], other[0]), min(one[1], other[1])
    assert distinguishable(one, other) == (lowest > highest)
