"""Tau against SciPy's, by hand, and what an audit says of made-up scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from kdsearch.measure.ranking import agreement, audited, equal_bins, mean_tau, ranked, tau

SCORES = st.lists(st.integers(0, 6), min_size=12, max_size=12)


@settings(max_examples=50, deadline=None)
@given(SCORES, SCORES)
def test_tau_is_scipys(ours: list[int], theirs: list[int]) -> None:
    found = tau(np.array(ours, float), np.array(theirs, float))
    expected = kendalltau(ours, theirs, variant="b").statistic
    assert found == pytest.approx(expected, nan_ok=True)


def test_within_bins_by_hand() -> None:
    """Bins {0, 1} and {2, 3}: one pair agrees, one does not; across them all agree."""
    ours, theirs = np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 6, 5])
    assert tau(ours, theirs) == pytest.approx(4 / 6)
    assert tau(ours, theirs, np.array([0.0, 0, 1, 1])) == 0


def test_bins_are_equal_and_rise_with_cost() -> None:
    costs = np.array([5.0, 1, 3, 3, 9, 7, 2])
    bins = equal_bins(costs, 3)
    assert sorted(np.bincount(bins.astype(int))) == [2, 2, 3]
    order = np.argsort(costs, kind="stable")
    assert (np.diff(bins[order]) >= 0).all()


def test_agreement_is_the_mean_over_pairs_of_runs() -> None:
    runs = np.array([[1.0, 2, 3], [1, 2, 3], [3, 2, 1]])
    assert agreement(runs) == pytest.approx((1 - 1 - 1) / 3)
    assert mean_tau(runs[0], runs) == pytest.approx(1 / 3)


def test_nothing_to_rank_has_no_value() -> None:
    assert ranked(lambda at: float("nan"), 5, 0) == (None, None)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def made(rng: np.random.Generator, noise: float) -> dict[str, object]:
    """Sixty networks: accuracy grows with cost, and with merit that cost is blind to."""
    macs, merit = rng.uniform(1, 10, 60), rng.normal(0, 1, 60)
    truth = 0.2 * macs + merit
    return {
        "inherited": list(truth + rng.normal(0, noise, 60)),
        "standalone": [list(truth + rng.normal(0, 0.1, 60)) for _ in range(2)],
        "costs": {"macs": list(macs), "params": list(-macs)},
    }


def test_an_audit_tells_a_good_ranking_from_size(rng: np.random.Generator) -> None:
    found = audited(**made(rng, 0.2))
    assert found.ceiling.value > found.tau.value > found.macs.value > 0 > found.params.value
    assert found.above_macs.ci95[0] > 0
    assert found.above_macs.value == pytest.approx(found.tau.value - found.macs.value)
    assert found.within.value > 0.5
    assert found.tau.ci95[0] < found.tau.value < found.tau.ci95[1]


def test_an_audit_of_noise_says_nothing(rng: np.random.Generator) -> None:
    found = audited(**made(rng, 50.0))
    assert found.tau.ci95[0] < 0 < found.tau.ci95[1]
    assert found.above_macs.value < 0


def test_one_seed_has_no_ceiling(rng: np.random.Generator) -> None:
    scores = made(rng, 0.2)
    found = audited(scores["inherited"], scores["standalone"][:1], scores["costs"])
    assert found.ceiling == (None, None)
