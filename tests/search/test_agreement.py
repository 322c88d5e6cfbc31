"""How far a rung ranks as the next one does: over trials that went up whatever they scored."""

import itertools
import random

import pytest

from kdsearch.core.ladder import is_audited
from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.search.agreement import FEWEST, Agreement, agreements, tau_between
from kdsearch.search.trial import Trial

SEED = 5
CANDIDATE = Candidate(Architecture.of({"width": 2}), Recipe("hard"))
AUDITED = [n for n in range(600) if is_audited(SEED, n)]
OTHERS = [n for n in range(600) if not is_audited(SEED, n)]


def scored(number: int, lower: float, upper: float | None, rung: int = 0) -> Trial:
    scores = {rung: (lower, 1.0)} | ({} if upper is None else {rung + 1: (upper, 1.0)})
    return Trial(number, CANDIDATE, "complete", scores)


def by_definition(pairs: list[tuple[float, float]]) -> float:
    """Kendall's tau-b, pair by pair (Kendall, 1945)."""
    agree = ties_a = ties_b = 0
    total = 0
    for (a, b), (c, d) in itertools.combinations(pairs, 2):
        total += 1
        agree += ((a > c) - (a < c)) * ((b > d) - (b < d))
        ties_a += a == c
        ties_b += b == d
    return float(agree / ((total - ties_a) * (total - ties_b)) ** 0.5)


def test_tau_is_that_of_the_audited_trials_alone() -> None:
    """The others, which were chosen for their score, would agree perfectly."""
    rng = random.Random(0)
    pairs = [(rng.randrange(6) / 10, rng.randrange(6) / 10) for _ in range(20)]
    trials = [scored(n, a, b) for n, (a, b) in zip(AUDITED, pairs, strict=False)]
    chosen = [scored(n, k / 100, k / 100) for k, n in enumerate(OTHERS[:50])]
    assert tau_between([*trials, *chosen], 0, SEED) == pytest.approx(by_definition(pairs))
    assert tau_between(chosen, 0, SEED) is None


def test_too_few_say_nothing() -> None:
    trials = [scored(n, k / 9, k / 9) for k, n in enumerate(AUDITED[:FEWEST])]
    assert tau_between(trials, 0, SEED) == pytest.approx(1)
    assert tau_between(trials[1:], 0, SEED) is None
    only_below = [*trials[1:], scored(AUDITED[0], 0.5, None)]
    assert tau_between(only_below, 0, SEED) is None
    assert tau_between(trials, 1, SEED) is None


def test_where_all_are_alike_there_is_no_ranking() -> None:
    trials = [scored(n, 0.5, k / 9) for k, n in enumerate(AUDITED[:9])]
    assert tau_between(trials, 0, SEED) is None
    (found,) = agreements(trials, SEED)
    assert (found.tau, found.trials) == (None, 9)
    assert found.says == "all audited trials score alike"


def test_one_for_each_rung_that_some_went_up_from() -> None:
    trials = [scored(n, k / 9, k / 9, rung=1) for k, n in enumerate(AUDITED[:9])]
    assert agreements(trials, SEED) == [Agreement(1, pytest.approx(1), 9)]
    assert agreements([], SEED) == []
    assert agreements([scored(AUDITED[0], 0.5, None)], SEED) == []


@pytest.mark.parametrize(
    ("tau", "trials", "says"),
    [
        (None, 3, "not known yet, 3 of 8 audited trials are that far"),
        (0.6, 8, "they rank alike, the lower one is believed"),
        (0.59, 8, "they rank alike only in part, more go up than the lower one would let"),
        (
            0.0,
            8,
            "the lower one says nothing of the next, all that keep the budget go up",
        ),
    ],
)
def test_in_plain_words(tau: float | None, trials: int, says: str) -> None:
    assert Agreement(0, tau, trials).says == says
