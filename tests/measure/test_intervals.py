import numpy as np
import pytest
import scipy.stats

from kdsearch.measure.intervals import median_ci95


def test_agrees_with_scipy():
    values = np.random.default_rng(3).lognormal(size=40)
    theirs = scipy.stats.bootstrap(
        (values,), np.median, method="percentile", n_resamples=5000
    ).confidence_interval
    spread = theirs.high - theirs.low
    assert median_ci95(values, 0) == pytest.approx(tuple(theirs), abs=0.2 * spread)


def test_no_spread_no_width():
    assert median_ci95([2.0, 2.0, 2.0], 0) == (2.0, 2.0)


def test_same_seed_same_interval():
    values = np.random.default_rng(0).normal(size=30)
    assert median_ci95(values, 7) == median_ci95(values, 7)


def test_more_rounds_make_it_narrower():
    few, many = (np.random.default_rng(0).normal(size=n) for n in (20, 500))
    assert np.diff(median_ci95(many, 0)) < 0.5 * np.diff(median_ci95(few, 0))
