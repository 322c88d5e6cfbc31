import numpy as np
import pytest
import scipy.stats

from kdsearch.measure.intervals import median_ci95


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
