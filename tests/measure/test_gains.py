"""Gains of students, by hand: two students, three seeds."""

import pytest
from scipy.stats import nct, t

from kdsearch.measure.gains import gains, smallest_detectable
from kdsearch.measure.paired import interval

PLAIN = [[0.50, 0.52, 0.54], [0.60, 0.60, 0.60]]
OTHER = [[0.53, 0.53, 0.58], [0.59, 0.60, 0.58]]
"""Differences: +3, +1, +4 and -1, 0, -2 points; means of the seeds +1, +0.5, +1."""


def test_a_mean_is_taken_over_students_first_and_then_over_seeds() -> None:
    found = gains(OTHER, PLAIN)
    assert found.runs == pytest.approx((0.01, 0.005, 0.01))
    assert found.mean.mean == pytest.approx(0.025 / 3)
    half = 4.302653 * 0.002886751 / 3**0.5
    assert found.mean.ci95 == pytest.approx((0.025 / 3 - half, 0.025 / 3 + half))
    assert found.mean.says == "better"


def test_students_each_with_an_interval_and_the_worst_of_them() -> None:
    found = gains(OTHER, PLAIN)
    assert [one.mean for one in found.students] == pytest.approx([0.08 / 3, -0.01])
    assert found.students[1].ci95 == pytest.approx(interval([-0.01, 0.0, -0.02]).ci95)
    assert found.worst == 1 and found.improved == 0.5
    assert [one.says for one in found.students] == ["", ""]


def test_one_seed_has_means_alone() -> None:
    found = gains([[0.5], [0.5]], [[0.4], [0.6]])
    assert found.mean == (pytest.approx(0.0), None) and found.detectable is None
    assert found.improved == 0.5


def test_what_can_be_detected() -> None:
    """(4.302653 + 1.060660) · sd / √3 of three seeds."""
    assert smallest_detectable([0.0, 0.01, 0.02]) == pytest.approx(5.363313 * 0.01 / 3**0.5)
    assert smallest_detectable([0.01]) is None
    assert smallest_detectable([0.01, 0.01]) == 0


@pytest.mark.parametrize("seeds", [5, 10, 30])
def test_such_a_gain_is_found_in_about_four_of_five_cases(seeds: int) -> None:
    values = [float(k % 2) for k in range(seeds)]
    spread = interval(values)
    assert spread.ci95 is not None
    error = (spread.ci95[1] - spread.mean) / t.ppf(0.975, seeds - 1)
    true = smallest_detectable(values)
    assert true is not None
    power = 1 - nct.cdf(t.ppf(0.975, seeds - 1), seeds - 1, true / error)
    assert power == pytest.approx(0.8, abs=0.06)
