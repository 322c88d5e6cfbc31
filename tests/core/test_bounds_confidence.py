"""How sure a bound holds: known values of the normal distribution, and what must be true."""

import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.core.bounds_confidence import Known, confidence, together

TIME = Known(10.0, (8.0, 11.0))
SCORE = Known(0.9, (0.84, 0.92), is_cost=False)


@pytest.mark.parametrize(
    ("known", "limit", "upper", "sure"),
    [
        (TIME, 11.0, True, 0.975),  # at the interval's end
        (TIME, 8.0, True, 0.025),
        (TIME, 10.0, True, 0.5),
        (TIME, 12.1, True, NormalDist().cdf(2 * 1.959964)),  # as far again: a factor of 1.1
        (TIME, 6.4, True, NormalDist().cdf(-2 * 1.959964)),  # 0.8 twice
        (Known(10.0, (8.0, 11.0), is_predicted=True), 11.0, True, 0.95),
        (SCORE, 0.84, False, 0.975),
        (SCORE, 0.92, False, 0.025),
        (SCORE, 0.87, False, NormalDist().cdf(1.959964 / 2)),
        (SCORE, 0.92, True, 0.975),
        (Known.exactly(100.0), 100.0, True, 1.0),
        (Known.exactly(100.0), 99.0, True, 0.0),
        (Known.exactly(100.0), 101.0, False, 0.0),
        (Known(-1.0, (-2.0, 0.0), is_cost=False), 0.0, True, 0.975),
        (Known(0.0, (0.0, 0.1)), 0.1, True, 0.975),  # no logarithm of nothing
    ],
)
def test_known_values(known: Known, limit: float, upper: bool, sure: float) -> None:
    assert confidence(known, limit, upper=upper) == pytest.approx(sure, abs=1e-6)


def test_without_an_interval_nothing_is_sure() -> None:
    assert confidence(Known(1.0), 2.0, upper=True) is None
    assert together([0.9, None]) is None
    assert not Known(1.0).is_exact and Known.exactly(1.0).is_exact


def test_together_is_bonferronis() -> None:
    assert together([]) == 1.0
    assert together([0.98]) == pytest.approx(0.98)
    assert together([0.98, 0.97, 1.0]) == pytest.approx(0.95)
    assert together([0.4, 0.4]) == 0.0


AMOUNT = st.floats(1e-3, 1e3)


@given(AMOUNT, st.floats(0, 0.99), st.floats(0, 9), AMOUNT, st.floats(1, 10), st.booleans())
def test_a_looser_limit_is_no_less_sure(  # noqa: PLR0913  a case's parts
    value: float, down: float, up: float, limit: float, factor: float, is_cost: bool
) -> None:
    known = Known(value, (value * (1 - down), value * (1 + up)), is_cost)
    tight = confidence(known, limit, upper=True)
    loose = confidence(known, limit * factor, upper=True)
    assert tight is not None and loose is not None
    assert 0 <= tight <= loose <= 1
    below = confidence(known, limit, upper=False)
    assert below is not None
    assert known.is_exact or math.isclose(tight + below, 1)
