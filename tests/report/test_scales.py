import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.report.scales import Scale, log_ticks, nice_ticks, padded, padded_log

finite = st.floats(-1e9, 1e9)
positive = st.floats(1e-9, 1e9)


def test_a_linear_scale_maps_ends_and_middle() -> None:
    scale = Scale(10, 20, 300, 100)
    assert [scale(value) for value in (10, 15, 20)] == [300, 200, 100]


def test_a_logarithmic_scale_gives_each_decade_the_same_room() -> None:
    scale = Scale(0.01, 100, 0, 400, log=True)
    assert [scale(v) for v in (0.01, 0.1, 1, 100)] == pytest.approx([0, 100, 200, 400])


def test_round_ticks() -> None:
    assert nice_ticks(0, 1, 5) == [0, 0.25, 0.5, 0.75, 1]
    assert nice_ticks(0.87, 0.993, 5) == [0.875, 0.9, 0.925, 0.95, 0.975]
    assert log_ticks(0.012, 0.4) == [0.02, 0.05, 0.1, 0.2]
    assert log_ticks(1e-3, 1e6) == [10.0**d for d in range(-3, 7)]
    assert len(log_ticks(1e-90, 1e90)) <= 12
    assert log_ticks(21, 29) == [22, 24, 26, 28]


@given(finite, st.floats(1e-6, 1e9))
def test_ticks_lie_within_and_rise(low: float, span: float) -> None:
    high = low + span
    if (high - low) < 1e-6 * max(1.0, abs(low)):
        return
    ticks = nice_ticks(low, high)
    assert 1 <= len(ticks) <= 12
    assert all(low - 1e-6 * span <= tick <= high + 1e-6 * span for tick in ticks)
    assert ticks == sorted(set(ticks))


@given(positive, st.floats(1.0, 1e12))
def test_logarithmic_ticks_lie_within_and_rise(low: float, ratio: float) -> None:
    low, high = padded_log(low, low * ratio)
    ticks = log_ticks(low, high)
    assert len(ticks) >= 3
    assert all(low * (1 - 1e-6) <= tick <= high * (1 + 1e-6) for tick in ticks)
    assert ticks == sorted(set(ticks))


def test_a_single_value_gets_an_axis() -> None:
    low, high = padded(0.9, 0.9)
    assert low < 0.9 < high
    low, high = padded_log(0.02, 0.02)
    assert high / low == pytest.approx(3)
    assert math.sqrt(low * high) == pytest.approx(0.02)


def test_numbers_too_close_for_ticks_get_a_width_of_their_own() -> None:
    low, high = padded(0.0, 5e-324)
    assert (low, high) == (-0.5, 0.5) and nice_ticks(low, high)
