import numpy as np
import pytest
import scipy.stats

from kdsearch.measure.intervals import median_ci95, percentiles_ci95


def test_ends_are_those_of_the_exact_bootstrap():
    # The median of n = 2m + 1 draws from 1..n is at most k when at least m + 1 of them are:
    # a binomial tail (Efron & Tibshirani, 1993, problem 6.8), here inverted by scipy.
    n, k = 101, np.arange(1, 102)
    at_most = scipy.stats.binom.sf(n // 2, n, k / n)
    low, high = (k[at_most >= share][0] for share in (0.025, 0.975))
    assert median_ci95(k, 0) == pytest.approx((low, high), abs=1)


def test_no_spread_no_width():
    assert median_ci95([2.0, 2.0, 2.0], 0) == (2.0, 2.0)


def test_same_seed_same_interval():
    values = np.random.default_rng(0).normal(size=30)
    assert median_ci95(values, 7) == median_ci95(values, 7)


def test_more_rounds_make_it_narrower():
    few, many = (np.random.default_rng(0).normal(size=n) for n in (20, 500))
    assert np.diff(median_ci95(many, 0)) < 0.5 * np.diff(median_ci95(few, 0))


def test_percentiles_of_single_values_are_bootstrapped_like_a_median():
    values = np.random.default_rng(0).normal(size=(41, 1))
    (found,) = percentiles_ci95(values, (50,), 3)
    assert found == pytest.approx(median_ci95(values[:, 0], 3))


def test_a_tails_interval_covers_it_about_as_often_as_it_says():
    # exponential calls: p90 is ln 10 (the inverse of 1 - exp(-x) at 0.9)
    rng = np.random.default_rng(0)
    inside = 0
    for seed in range(40):
        (low, high), _ = percentiles_ci95(rng.exponential(size=(40, 5)), (90, 99), seed)
        inside += low <= np.log(10) <= high
    assert inside >= 34


def test_values_of_a_row_come_and_go_together():
    """Ten rounds, one of them disturbed whole: a tenth of the calls, yet one event."""
    together = np.array([[1.0] * 10] * 9 + [[2.0] * 10])
    spread = np.full((10, 10), 1.0)
    np.fill_diagonal(spread, 2.0)
    (wide,) = percentiles_ci95(together, (85,), 0)
    (narrow,) = percentiles_ci95(spread, (85,), 0)
    assert (wide, narrow) == ((1.0, 2.0), (1.0, 1.0))
