import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.measure.warm_up import FEWEST, MOST, SECONDS, WINDOW, is_warm, warmed_up


def stopwatch(seconds):
    left = iter(seconds)
    return lambda: next(left)


@pytest.mark.parametrize(
    ("seconds", "warm"),
    [
        ([1.0] * 5, False),  # too few to tell
        ([1.0] * 6, True),
        ([2.0, 2.0, 2.0, 1.0, 1.0, 1.0], False),  # still gets faster
        ([9.0, 1.0, 1.0, 1.0, 1.0, 1.0], True),  # one slow call is no trend
        ([1.0, 1.0, 1.0, 2.0, 2.0, 2.0], True),  # slower is drift, which rounds take care of
        ([1.04, 1.04, 1.04, 1.0, 1.0, 1.0], True),
    ],
)
def test_warm_is_who_no_longer_gets_faster(seconds, warm):
    assert is_warm(seconds) == warm


def test_a_network_is_called_until_it_is_as_fast_as_it_gets():
    falling = [1e-3 * (1 + 2.0**-i) for i in range(40)]
    found = warmed_up(stopwatch(falling))
    assert found == falling[: len(found)]
    assert found[-1] < 1.2e-3 and len(found) < 15
    assert len(warmed_up(stopwatch([1e-3] * 40))) == 2 * WINDOW


@given(st.lists(st.floats(1e-6, 10.0), min_size=MOST, max_size=MOST))
def test_there_is_an_end_to_it(seconds):
    found = warmed_up(stopwatch(seconds))
    assert FEWEST <= len(found) <= MOST
    assert len(found) == FEWEST or sum(found[:-1]) < SECONDS


def test_slow_networks_are_not_waited_for():
    assert len(warmed_up(stopwatch([2.0] * 9))) == FEWEST
    assert len(warmed_up(stopwatch(1e-3 * 0.9**i for i in range(99)))) == MOST
