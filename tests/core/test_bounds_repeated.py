"""What the next measurement may say, against values worked out by hand and against a draw."""

import math
import random

import pytest

from kdsearch.core.bounds_repeated import next_at_most, spread


def test_spread_is_that_of_one_of_two() -> None:
    pairs = [(1.0, math.exp(0.03)), (5.0, 5 * math.exp(-0.01))]
    assert spread(pairs) == pytest.approx(math.sqrt((0.03**2 + 0.01**2) / 4))
    assert spread([]) == 0.0


def test_the_next_one_by_hand() -> None:
    assert next_at_most([2.0], 0.0) == pytest.approx(2.0)
    assert next_at_most([2.0, 8.0], 0.0) == pytest.approx(4.0)
    assert next_at_most([4.0, 4.0], 0.1) == pytest.approx(4 * math.exp(0.164485 * 1.5**0.5))


def test_nineteen_in_twenty_stay_below() -> None:
    """Also where the deviation is not known but seen on forty networks measured twice."""
    rng = random.Random(0)

    def measured(true: float) -> float:
        return true * math.exp(rng.gauss(0, 0.02))

    below = 0
    for _ in range(2000):
        deviation = spread([(measured(1.0), measured(1.0)) for _ in range(40)])
        below += measured(3.0) <= next_at_most([measured(3.0), measured(3.0)], deviation)
    assert 0.93 < below / 2000 < 0.97
