"""What a search's scores depend on, from trials whose scores a formula gives."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from kdsearch.core.objectives import KNOWN
from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.search import shares as shares_module
from kdsearch.search.explain import explained, rung_of
from kdsearch.search.shares import FEWEST, Share, quantile
from kdsearch.search.trial import Trial

ACCURACY, MACS = KNOWN["accuracy"], KNOWN["macs"]


@pytest.fixture(autouse=True)
def small_forests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares_module, "TREES", 16)
    monkeypatch.setattr(shares_module, "FEW_TREES", 4)


def candidate(rng: random.Random) -> Candidate:
    width, depth = rng.choice((2, 4, 8, 16)), rng.choice((1, 2))
    method = rng.choice(("hard", "soften"))
    knobs = {"temperature": rng.uniform(1, 10)} if method == "soften" else {}
    rate = rng.choice((0.01, 0.03, 0.1))
    recipe = Recipe.of(method, knobs, {"learning_rate": rate})
    return Candidate(Architecture.of({"width": width, "depth": depth}), recipe)


def scored(
    count: int, accuracy: Callable[[Candidate], float], rungs: tuple[int, ...] = (0, 1)
) -> list[Trial]:
    rng = random.Random(3)
    found = []
    for number in range(count):
        one = candidate(rng)
        cost = float(one.architecture["width"]) * float(one.architecture["depth"])
        values = {rung: (accuracy(one), cost) for rung in rungs}
        found.append(Trial(number, one, "complete", values))
    return found


def of_rate(one: Candidate) -> float:
    return float(dict(one.recipe.training)["learning_rate"])


def of_temperature(one: Candidate) -> float:
    return float(dict(one.recipe.knobs).get("temperature", 0.0))


def test_the_axis_that_matters_has_the_largest_share() -> None:
    found = explained(scored(30, of_rate), 0, ACCURACY, seed=0)
    assert (found.rung, found.shares.trials) == (1, 30)
    name, best = next(iter(found.shares.axes.items()))
    assert name == "learning_rate"
    assert best.share > 0.9 and best.is_told
    assert best.ci95[0] <= best.share <= best.ci95[1]
    others = [s for n, s in found.shares.axes.items() if n != name]
    assert len(others) == 3 and not any(one.is_told for one in others)


def test_parts_are_the_sums_of_their_axes() -> None:
    found = explained(scored(30, of_rate), 0, ACCURACY, seed=0).shares
    assert set(found.parts) == {"architecture", "method", "training"}
    axes = found.axes
    sizes = axes["width"].share + axes["depth"].share
    assert found.parts["architecture"].share == pytest.approx(sizes)
    assert found.parts["training"].share == pytest.approx(axes["learning_rate"].share)
    assert found.parts["training"].is_told and not found.parts["architecture"].is_told


def test_a_methods_own_knobs_are_told_apart_within_it() -> None:
    trials = scored(40, of_temperature)
    found = explained(trials, 0, ACCURACY, seed=0)
    assert not any("temperature" in name for name in found.shares.axes)
    assert list(found.within) == ["soften"]
    within = found.within["soften"]
    assert within.trials == sum(t.candidate.recipe.method == "soften" for t in trials)
    assert list(within.axes) == ["soften.temperature"]
    assert within.axes["soften.temperature"].share > 0.9


def test_a_cost_depends_on_the_architecture_alone() -> None:
    trials = scored(60, of_rate)
    found = explained(trials, 1, MACS, seed=0)
    assert found.rung is None
    assert found.shares.trials == len({t.candidate.architecture for t in trials}) == 8
    assert found.shares.axes == {} and found.shares.needed == FEWEST
    assert not found.within


def test_inherited_weights_know_of_the_architecture_alone() -> None:
    wide = [*scored(30, of_rate, rungs=(0,)), *scored(5, of_rate)]
    found = explained(wide, 0, ACCURACY, seed=0)
    assert (found.rung, found.shares.trials) == (0, 8)


@pytest.mark.parametrize(("count", "told"), [(9, False), (10, True)])
def test_too_few_trials_say_nothing_but_how_many_are_needed(count: int, told: bool) -> None:
    found = explained(scored(count, of_rate, rungs=(1,)), 0, ACCURACY, seed=0).shares
    assert (found.trials, found.needed, bool(found.axes)) == (count, 10, told)


def test_two_trials_are_needed_for_each_axis() -> None:
    def many(number: int) -> Trial:
        rng = random.Random(number)
        axes: dict[str, Any] = {f"axis{i}": rng.randrange(50) for i in range(8)}
        one = Candidate(Architecture.of(axes), Recipe("hard"))
        return Trial(number, one, "complete", {1: (rng.random(), 1.0)})

    for count in (15, 16):
        found = explained([many(n) for n in range(count)], 0, ACCURACY, seed=0).shares
        assert (found.needed, bool(found.axes)) == (16, count == 16)


def test_no_trial_and_no_score_are_too_few() -> None:
    for trials in ([], [Trial(0, candidate(random.Random(0)))]):
        for at, objective in enumerate((ACCURACY, MACS)):
            found = explained(trials, at, objective, seed=0).shares
            assert (found.trials, found.needed, found.axes) == (0, FEWEST, {})


def test_scores_that_are_all_alike_are_explained_by_nothing() -> None:
    found = explained(scored(20, lambda _: 0.5), 0, ACCURACY, seed=0).shares
    assert {one.share for one in found.axes.values()} == {0.0}
    assert not any(one.is_told for one in found.axes.values())


def test_noise_is_not_told_from_chance() -> None:
    """Of 32 axes of searches whose scores are drawn, one in 20 is meant to be named."""
    named = 0
    for seed in range(8):
        rng = random.Random(seed)
        found = explained(scored(14, lambda _, r=rng: r.random(), (1,)), 0, ACCURACY, seed)
        assert len(found.shares.axes) == 4
        named += sum(one.is_told for one in found.shares.axes.values())
    assert named <= 5


def test_the_same_trials_and_seed_give_the_same_shares() -> None:
    trials = scored(20, of_rate)
    first, again = (explained(trials, 0, ACCURACY, seed=5) for _ in range(2))
    assert first == again


def test_the_highest_rung_with_enough_results_counts() -> None:
    trials = scored(20, of_rate, rungs=(0,)) + scored(12, of_rate) + scored(4, of_rate, (2,))
    assert rung_of(trials) == 1
    assert rung_of(scored(5, of_rate, rungs=(0,)) + scored(3, of_rate)) == 0
    assert rung_of([]) == 0


def test_more_trials_than_a_forest_is_fitted_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares_module, "MOST", 20)
    found = explained(scored(50, of_rate), 0, ACCURACY, seed=0).shares
    assert found.trials == 50
    assert found.axes["learning_rate"].is_told


def test_quantiles_and_what_is_told() -> None:
    assert [quantile([3.0, 1.0, 2.0], q) for q in (0.0, 0.25, 0.5, 1.0)] == [1, 1.5, 2, 3]
    assert quantile([4.0], 0.975) == 4
    assert Share(0.5, (0.4, 0.6), 0.3).is_told
    assert not Share(0.3, (0.2, 0.4), 0.3).is_told
