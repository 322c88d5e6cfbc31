"""Scores of published students: the mean over runs, and an interval that is not too narrow."""

import pytest

from kdsearch.measure.accuracy import wilson_ci95
from kdsearch.pipeline.publish import scored


def test_one_run_has_the_wilson_interval_of_its_images():
    found = scored([345], 359)
    assert found.accuracy == pytest.approx(345 / 359)
    assert found.ci95 == wilson_ci95(345, 359)


def test_more_runs_on_the_same_images_are_not_more_images():
    assert scored([345, 345, 345], 359).ci95 == wilson_ci95(345, 359)


def test_runs_that_differ_widen_the_interval():
    found = scored([300, 340], 400)
    # Student's t with one degree of freedom is 12.706; the two shares differ by 0.1, so their
    # standard error is 0.05: 0.8 - 0.6353 and 0.8 + 0.6353, cut at 1.
    assert found.accuracy == pytest.approx(0.8)
    assert found.ci95 == (pytest.approx(0.8 - 12.7062 * 0.05, abs=1e-4), 1.0)
