"""One suite over SAMPLERS, and what of a search's history a sampler gets to see."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.space import Axis, Choice, Range, Space
from kdsearch.search.pool import Pool, as_parameters
from kdsearch.search.study.axes import distribution, from_optuna, joint_axes, to_optuna
from kdsearch.search.study.mirror import SAMPLERS, ask, best_known_rung, directions, reflect
from kdsearch.search.study.record import as_trial, frozen_running
from kdsearch.search.trial import Trial

TOWARD = directions(2)
NAMES = st.text("abcdefgh.12", min_size=1, max_size=6)
WHOLE = st.lists(st.integers(-40, 400), min_size=1, max_size=5, unique=True).map(sorted)
REAL = st.lists(
    st.one_of(st.floats(-1e6, 1e6), st.integers(-9, 9)), min_size=1, max_size=5, unique=True
).map(sorted)
WORDS = st.lists(st.text("xyz", max_size=3), min_size=1, max_size=3, unique=True)
CHOICES = st.one_of(WHOLE, REAL, WORDS).map(lambda values: Choice(tuple(values)))
RANGES = st.builds(
    lambda low, width, log: Range(low, low + width, log),
    st.floats(0.01, 100),
    st.floats(0.01, 100),
    st.booleans(),
)
POOLS = st.builds(
    lambda axes, methods: Pool(
        Space({f"arch {name}": axis for name, axis in axes.items()}),
        {name: Space(knobs) for name, knobs in methods.items()},
    ),
    st.dictionaries(NAMES, CHOICES, min_size=1, max_size=4),
    st.dictionaries(
        NAMES,
        st.dictionaries(NAMES, st.one_of(CHOICES, RANGES), max_size=2),
        min_size=1,
        max_size=3,
    ),
)


def drawn(pool: Pool, rng: random.Random) -> Candidate:
    architecture = Architecture.of(pool.architectures.draw(rng))
    return Candidate(architecture, pool.draw_recipe(rng))


def history(pool: Pool, seed: int, count: int) -> list[Trial]:
    """Trials of every state, some at each rung, as a search would have left them."""
    rng = random.Random(seed)

    def trial(number: int) -> Trial:
        scores = {r: (rng.random(), rng.random()) for r in range(rng.randrange(3))}
        state: Any = rng.choice(["complete", "stopped", "failed", "running"])
        violations = {"macs": rng.random()} if rng.random() < 0.2 else {}
        return Trial(number, drawn(pool, rng), state, scores, violations)

    return [trial(number) for number in range(count)]


@pytest.mark.parametrize("sampler", SAMPLERS)
@settings(max_examples=40, deadline=None)
@given(pool=POOLS, seed=st.integers(0, 2**32 - 1), count=st.sampled_from([0, 5, 60]))
def test_proposals_lie_in_the_pool_and_repeat(
    sampler: str, pool: Pool, seed: int, count: int
) -> None:
    known = history(pool, seed, count)
    first = ask(pool, sampler, seed, known, TOWARD)
    pool.architectures.check(first.architecture.as_dict())
    pool.methods[first.recipe.method].check(dict(first.recipe.knobs))
    again = ask(pool, sampler, seed, list(known), TOWARD)
    assert again == first
    assert as_parameters(again) == as_parameters(first)


@settings(max_examples=100, deadline=None)
@given(pool=POOLS, seed=st.integers(0, 2**32 - 1))
def test_a_candidate_goes_into_a_record_and_back(pool: Pool, seed: int) -> None:
    candidate = drawn(pool, random.Random(seed))
    record = frozen_running(Trial(0, candidate, batch=0), pool)
    assert as_trial(record).candidate == candidate
    axes = joint_axes(pool, candidate.recipe.method)
    values = {name: from_optuna(axes[name], value) for name, value in record.params.items()}
    assert values == as_parameters(candidate)
    kinds = {name: type(value) for name, value in values.items()}
    assert kinds == {name: type(value) for name, value in as_parameters(candidate).items()}


@settings(max_examples=100, deadline=None)
@given(axis=st.one_of(CHOICES, RANGES), seed=st.integers(0, 1000))
def test_a_value_goes_to_optuna_and_back(axis: Axis, seed: int) -> None:
    value = axis.draw(random.Random(seed))
    seen = to_optuna(axis, value)
    assert from_optuna(axis, seen) == value
    assert distribution(axis)._contains(distribution(axis).to_internal_repr(seen))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((2, 4, 6), "IntDistribution(high=6, log=False, low=2, step=2)"),
        ((2, 4, 8, 16), "IntDistribution(high=3, log=False, low=0, step=1)"),
        ((0.5, 0.9), "IntDistribution(high=1, log=False, low=0, step=1)"),
        ((7,), "CategoricalDistribution(choices=(7,))"),
        (("a", "b"), "CategoricalDistribution(choices=('a', 'b'))"),
    ],
)
def test_numbers_keep_their_order_for_the_sampler(values: tuple[Any, ...], kind: str) -> None:
    assert repr(distribution(Choice(values))) == kind


# Which rung is looked at.

POOL = Pool(
    Space({"width": Choice((2, 4, 8, 16)), "depth": Choice((1, 2, 3))}),
    {"hard": Space({}), "soften": Space({"temperature": Range(1, 10)})},
)


def trials_at(*counts: int) -> list[Trial]:
    """`counts[r]` trials with a score at rung r."""
    rng = random.Random(0)
    return [
        Trial(
            n,
            drawn(POOL, rng),
            "complete",
            {r: (0.5, 1.0) for r, c in enumerate(counts) if n < c},
        )
        for n in range(max(counts))
    ]


@pytest.mark.parametrize(
    ("counts", "parameters", "rung"),
    [
        ((0,), 3, 0),
        ((30, 9), 3, 0),
        ((30, 10), 3, 1),
        ((30, 20), 20, 0),
        ((30, 21), 20, 1),
        ((30, 20, 10), 3, 2),
        ((30, 20, 9), 3, 1),
    ],
)
def test_the_highest_rung_with_enough_results_counts(
    counts: tuple[int, ...], parameters: int, rung: int
) -> None:
    """Ten results, or one more than there are parameters."""
    assert best_known_rung(trials_at(*counts), parameters) == rung


def with_method(method: str, number: int, **changed: Any) -> Trial:
    rng = random.Random(number)
    knobs = POOL.methods[method].draw(rng)
    architecture = Architecture.of(POOL.architectures.draw(rng))
    return Trial(number, Candidate(architecture, Recipe.of(method, knobs)), **changed)


def asked_methods(known: Sequence[Trial]) -> Counter[str]:
    return Counter(ask(POOL, "tpe", seed, known, TOWARD).recipe.method for seed in range(60))


def softened(rungs: Sequence[int], count: int) -> list[Trial]:
    """Trials in which `soften` does much better than `hard`."""
    return [
        with_method(
            ("hard", "soften")[n % 2],
            n,
            state="complete",
            scores={r: (0.1 + 0.8 * (n % 2), 1.0) for r in rungs},
        )
        for n in range(count)
    ]


def test_recipes_are_learnt_from_rung_1_and_random_before() -> None:
    assert asked_methods(softened([0], 40))["soften"] == pytest.approx(30, abs=13)
    assert asked_methods(softened([0, 1], 40))["soften"] >= 50


def asked_widths(known: Sequence[Trial]) -> Counter[Any]:
    asked = (ask(POOL, "tpe", seed, known, TOWARD) for seed in range(60))
    return Counter(candidate.architecture["width"] for candidate in asked)


def wide_is_good(*by_rung: bool, excess: float = 0.0) -> list[Trial]:
    """Forty trials: at each rung the widest is the best or the worst; it may break a bound."""
    trials = []
    for number in range(40):
        candidate = with_method("hard", number).candidate
        is_wide = candidate.architecture["width"] == 16
        scores = {
            rung: (0.9 if is_wide == is_good else 0.1, 1.0)
            for rung, is_good in enumerate(by_rung)
        }
        is_over = is_wide and excess > 0
        trials.append(
            Trial(
                number,
                candidate,
                "stopped" if is_over else "complete",
                {0: scores[0]} if is_over else scores,
                {"macs": excess} if is_over else {},
            )
        )
    return trials


def test_the_highest_rung_decides_what_is_proposed() -> None:
    assert asked_widths(wide_is_good(False, True))[16] > 30
    assert asked_widths(wide_is_good(True, False))[16] < 10


def test_what_breaks_a_bound_is_avoided_however_good_it_looks() -> None:
    assert asked_widths(wide_is_good(True, True, excess=2.0))[16] < 10


def test_a_mirrored_trial_shows_what_its_rung_knows() -> None:
    scores = {0: (0.5, 2.0), 1: (0.75, 2.0)}
    complete = with_method("soften", 1, state="complete", scores=scores)
    shown = reflect(complete, POOL, 1, 2)
    assert shown is not None
    assert (shown.state, shown.values) == (TrialState.COMPLETE, [0.75, 2.0])
    assert set(shown.params) == {"width", "depth", "method", "soften.temperature"}
    below = reflect(complete, POOL, 0, 2)
    assert below is not None
    assert (below.values, set(below.params)) == ([0.5, 2.0], {"width", "depth"})


def test_a_trial_stopped_below_the_rung_tells_nothing_there() -> None:
    stopped = with_method("hard", 1, state="stopped", scores={0: (0.5, 2.0)})
    assert reflect(stopped, POOL, 1, 2) is None
    assert reflect(stopped, POOL, 0, 2) is not None
    assert reflect(with_method("hard", 1, state="failed"), POOL, 0, 2) is None


def test_a_trial_over_budget_is_infeasible_at_every_rung() -> None:
    over = with_method(
        "hard", 1, state="stopped", scores={0: (0.5, 2.0)}, violations={"macs": 0.3}
    )
    for rung in (0, 1):
        shown = reflect(over, POOL, rung, 2)
        assert shown is not None
        assert (shown.state, shown.values) == (TrialState.COMPLETE, [0.5, 2.0])
        assert dict(shown.constraints) == {"macs": 0.3}


def test_a_running_trial_is_known_to_be_under_way() -> None:
    for rung in (0, 1):
        shown = reflect(with_method("hard", 1), POOL, rung, 2)
        assert shown is not None
        assert (shown.state, shown.values) == (TrialState.RUNNING, None)


def test_over_budget_is_infeasible_also_where_nothing_is_scored_before_training() -> None:
    over = with_method("hard", 1, state="stopped", violations={"macs": 0.3})
    for rung in (0, 1):
        shown = reflect(over, POOL, rung, 2)
        assert shown is not None
        assert (shown.state, len(shown.values or ())) == (TrialState.COMPLETE, 2)
        assert dict(shown.constraints) == {"macs": 0.3}
