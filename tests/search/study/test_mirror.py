"""One suite over SAMPLERS, and what of a search's history a sampler gets to see."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from kdsearch.core.objectives import KNOWN, Objective
from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.space import Axis, Choice, Range, Space
from kdsearch.search.pool import Pool, as_parameters
from kdsearch.search.study.axes import distribution, from_optuna, joint_axes, to_optuna
from kdsearch.search.study.mirror import LASTS, Mirror, Question, directions, shown, window
from kdsearch.search.study.record import as_trial, frozen_running
from kdsearch.search.study.samplers import SAMPLERS
from kdsearch.search.trial import Trial

BOTH = (KNOWN["accuracy"], KNOWN["macs"])
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


def ask(
    pool: Pool, sampler: str, seed: int, known: Sequence[Trial], rung: int | None = None
) -> Candidate:
    """What a sampler proposes that is shown these trials at once."""
    if rung is None:
        counts = Counter(r for t in known for r in t.scores)
        enough = max(10, len(pool.architectures.axes) + 2)
        rung = max((r for r, n in counts.items() if n >= enough), default=0)
    mirror = Mirror(Question(pool, BOTH, sampler, 100, bounded=True))
    return mirror.ask(known, range(len(known)), rung, seed)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_mirror_does_not_grow_with_proposals(sampler: str) -> None:
    pool = Pool(Space({"width": Choice((2, 4, 8))}), {"hard": Space({})})
    mirror, known = Mirror(Question(pool, BOTH, sampler, 1000)), history(pool, 0, 30)
    sizes = []
    for seed in range(2 * LASTS + 10):
        mirror.ask(known, range(len(known)) if not seed else (), 1, seed)
        sizes.append(len(mirror.study.get_trials(deepcopy=False)))
    assert max(sizes) <= LASTS + 30 and sizes[-1] < 60


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
    first = ask(pool, sampler, seed, known)
    pool.architectures.check(first.architecture.as_dict())
    pool.methods[first.recipe.method].check(dict(first.recipe.knobs))
    again = ask(pool, sampler, seed, list(known))
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


# What a rung shows.

POOL = Pool(
    Space({"width": Choice((2, 4, 8, 16)), "depth": Choice((1, 2, 3))}),
    {"hard": Space({}), "soften": Space({"temperature": Range(1, 10)})},
)


def question(sampler: str = "tpe") -> Question:
    return Question(POOL, BOTH, sampler, 100, bounded=True)


def with_method(method: str, number: int, **changed: Any) -> Trial:
    rng = random.Random(number)
    knobs = POOL.methods[method].draw(rng)
    architecture = Architecture.of(POOL.architectures.draw(rng))
    return Trial(number, Candidate(architecture, Recipe.of(method, knobs)), **changed)


def asked_methods(known: Sequence[Trial]) -> Counter[str]:
    return Counter(ask(POOL, "tpe", seed, known).recipe.method for seed in range(60))


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
    asked = (ask(POOL, "tpe", seed, known) for seed in range(60))
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
    found = shown(complete, question(), 1)
    assert found is not None
    assert (found.state, found.values) == (TrialState.COMPLETE, [0.75, 2.0])
    assert set(found.params) == {"width", "depth", "method", "soften.temperature"}
    below = shown(complete, question(), 0)
    assert below is not None
    assert (below.values, set(below.params)) == ([0.5, 2.0], {"width", "depth"})


def test_a_trial_stopped_below_the_rung_tells_nothing_there() -> None:
    stopped = with_method("hard", 1, state="stopped", scores={0: (0.5, 2.0)})
    assert shown(stopped, question(), 1) is None
    assert shown(stopped, question(), 0) is not None
    assert shown(with_method("hard", 1, state="failed"), question(), 0) is None


def test_a_trial_over_budget_is_infeasible_at_every_rung() -> None:
    over = with_method(
        "hard", 1, state="stopped", scores={0: (0.5, 2.0)}, violations={"macs": 0.3}
    )
    for rung in (0, 1):
        found = shown(over, question(), rung)
        assert found is not None
        assert (found.state, found.values) == (TrialState.COMPLETE, [0.5, 2.0])
        assert dict(found.constraints) == {"budget": 0.3}


def test_a_running_trial_is_known_to_be_under_way() -> None:
    for rung in (0, 1):
        found = shown(with_method("hard", 1), question(), rung)
        assert found is not None
        assert (found.state, found.values) == (TrialState.RUNNING, None)


def test_over_budget_is_infeasible_also_where_nothing_is_scored_before_training() -> None:
    over = with_method("hard", 1, state="stopped", violations={"macs": 0.3})
    for rung in (0, 1):
        found = shown(over, question(), rung)
        assert found is not None
        assert (found.state, len(found.values or ())) == (TrialState.COMPLETE, 2)
        assert dict(found.constraints) == {"budget": 0.3}


def test_a_running_trial_shows_the_rungs_it_has_passed() -> None:
    climbing = with_method("hard", 1, scores={0: (0.5, 2.0), 1: (0.6, 2.0)}, passed=True)
    below = shown(climbing, question(), 1)
    assert below is not None and below.state == TrialState.COMPLETE
    above = shown(climbing, question(), 2)
    assert above is not None and above.state == TrialState.RUNNING


def test_directions_are_the_objectives_own() -> None:
    error = Objective("error", maximised=False, scored=True)
    assert directions((error, *BOTH)) == ["minimize", "maximize", "minimize"]


# A mirror that is kept up to date shows what a new one shows.


def lived(sampler: str, mirrors: int, trials: int = 60) -> list[Candidate]:
    """A search in batches of four, all of which end before the next; with several mirrors each
    is thrown away now and then."""
    known: list[Trial] = []
    changed: set[int] = set()
    mirror = Mirror(question(sampler))
    for number in range(trials):
        if number % max(1, trials // mirrors) == 0:
            mirror, changed = Mirror(question(sampler)), set(range(number))
        rung = 1 if sum(1 in t.scores for t in known) >= 12 else 0
        candidate = mirror.ask(known, changed, rung, seed=number)
        trial = Trial(number, candidate, sampled=mirror.noted)
        known.append(trial)
        changed = {number}
        if number % 4 == 3:
            changed = set(range(number - 3, number + 1))
            known[number - 3 :] = map(ended, known[number - 3 :])
    return [t.candidate for t in known]


def ended(trial: Trial) -> Trial:
    width = float(trial.candidate.architecture["width"])
    score = (width / 20 + trial.number % 7 / 100, width)
    if trial.number % 5 == 4:
        return replace(trial, state="stopped", scores={0: score})
    if trial.number % 11 == 10:
        return replace(trial, state="stopped", violations={"macs": 0.5})
    return replace(trial, state="complete", scores={0: score, 1: score})


@pytest.mark.parametrize("sampler", [s for s in SAMPLERS if s not in ("gp", "grid")])
def test_a_mirror_made_anew_proposes_the_same(sampler: str) -> None:
    assert lived(sampler, 1) == lived(sampler, 7)


def test_nor_does_a_gaussian_process_tell() -> None:
    assert lived("gp", 1, trials=18) == lived("gp", 3, trials=18)


@pytest.mark.parametrize("sampler", ["nsga2", "gp"])
def test_some_are_shown_all_knobs_for_every_trial(sampler: str) -> None:
    """They look at axes that all trials have alone."""
    hard = with_method("hard", 1, state="complete", scores={1: (0.5, 2.0)})
    own = hard.candidate.architecture.as_dict()
    found = shown(hard, question(sampler), 1)
    assert found is not None
    assert found.params == {
        **{n: to_optuna(POOL.architectures.axes[n], v) for n, v in own.items()},
        "method": "hard",
        "soften.temperature": 5.5,
    }


def test_few_trials_are_shown_of_many_and_the_front_of_the_old_ones() -> None:
    assert [window(n, 1000) for n in (0, 1000, 1249, 1250, 1499, 1500)] == [
        0,
        0,
        0,
        250,
        250,
        500,
    ]
    trials = [ended(with_method("hard", n)) for n in range(1400)]
    best = replace(trials[3], state="complete", scores={0: (0.99, 1.0), 1: (0.99, 1.0)})
    trials[3] = best
    mirror = Mirror(question())
    mirror.ask(trials, range(1400), 1, seed=0)
    assert set(mirror.places) <= {3, *range(250, 1400)} and 3 in mirror.places
    assert len(mirror.study.get_trials(deepcopy=False)) <= 1152
