"""Means and paired differences of a few runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.measure.paired import Interval, difference, interval

runs = st.lists(st.floats(0, 1), min_size=2, max_size=8)


def test_students_interval() -> None:
    """t(0.975, 2 degrees of freedom) = 4.30265 (Student, 1908; any table), sd 1, n 3."""
    found = interval([1.0, 2.0, 3.0])
    assert found.mean == 2
    assert found.ci95 == pytest.approx((2 - 4.30265 / 3**0.5, 2 + 4.30265 / 3**0.5), rel=1e-5)


def test_students_own_example() -> None:
    """Student (1908, Biometrika 6, table of p. 20): hours of sleep gained with the second drug
    over the first, ten patients; mean 1.58, and R's t.test gives 0.70 to 2.46."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = difference(second, first)
    assert found.mean == pytest.approx(1.58)
    assert found.ci95 == pytest.approx((0.7001142, 2.4598858), rel=1e-6)
    assert found.says == "better"
    assert difference(first, second).says == "worse"


def test_one_run_has_no_interval_and_no_verdict() -> None:
    assert interval([0.5]) == Interval(0.5, None)
    assert difference([0.9], [0.1]).says == ""


def test_pairs_cancel_what_a_seed_does_to_both() -> None:
    """The runs overlap, their pairs do not."""
    theirs = [0.60, 0.70, 0.80]
    ours = [0.62, 0.71, 0.83]
    low, high = interval(ours).ci95 or (0, 0)
    assert low < 0.7 < high
    assert difference(ours, theirs).mean == pytest.approx(0.02)
    assert difference([0.62, 0.719, 0.821], theirs).says == "better"


@pytest.mark.parametrize(
    ("ci95", "says"),
    [
        ((0.1, 0.2), "better"),
        ((-0.2, -0.1), "worse"),
        ((-0.1, 0.1), ""),
        ((0.0, 0.1), ""),
        ((-0.1, 0.0), ""),
        ((0.0, 0.0), ""),
        (None, ""),
    ],
)
def test_a_verdict_only_where_zero_is_left_out(
    ci95: tuple[float, float] | None, says: str
) -> None:
    assert Interval(0.0, ci95).says == says


def test_equal_runs_differ_by_nothing() -> None:
    found = difference([0.3, 0.4, 0.5], [0.3, 0.4, 0.5])
    assert (found.mean, found.ci95, found.says) == (0, (0, 0), "")


def test_runs_without_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        difference([0.1, 0.2], [0.1])


@given(runs, runs)
def test_the_other_way_round(ours: list[float], theirs: list[float]) -> None:
    few = min(len(ours), len(theirs))
    one, other = difference(ours[:few], theirs[:few]), difference(theirs[:few], ours[:few])
    assert one.mean == pytest.approx(-other.mean)
    assert one.ci95 is not None and other.ci95 is not None
    assert one.ci95[0] <= one.mean <= one.ci95[1]
    assert one.ci95 == pytest.approx((-other.ci95[1], -other.ci95[0]))


def test_differences_that_came_out_alike_say_nothing() -> None:
    found = difference([0.5, 0.75], [0.25, 0.5])
    assert found.ci95 == (0.25, 0.25) and found.says == ""
