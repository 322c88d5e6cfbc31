"""Every candidate has a value for each axis of its method, and no other."""

import random

from hypothesis import given
from hypothesis import strategies as st

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.space import Axis, Choice, Range, Space
from kdsearch.search.pool import Pool, as_parameters, teacher_of

POOL = Pool(
    Space({"width": Choice((2, 4))}),
    {
        "hard": Space({}),
        "soften": Space({"temperature": Range(1, 10), "weight": Choice((0.5,))}),
    },
    Space({"learning_rate": Range(0.01, 0.1), "teacher": Choice(("teacher", "big"))}),
    frozenset({"soften"}),
)
AXES: st.SearchStrategy[Axis] = st.sampled_from(
    [Choice((1, 2, 4)), Choice(("a", "b")), Choice((0.5,)), Range(0, 1), Range(1, 9, log=True)]
)
SPACES = st.dictionaries(st.sampled_from("abc"), AXES, max_size=3).map(Space)
TRAINING = st.dictionaries(
    st.sampled_from(["learning_rate", "weight_decay", "augment_strength", "teacher"]), AXES
).map(Space)
METHODS = st.dictionaries(st.sampled_from(["hard", "soften", "dist"]), SPACES, min_size=1)


@given(METHODS, TRAINING, st.sets(st.sampled_from(["soften", "dist"])), st.integers())
def test_a_candidate_has_exactly_the_axes_of_its_method(
    methods: dict[str, Space], training: Space, taught: set[str], seed: int
) -> None:
    pool = Pool(POOL.architectures, methods, training, frozenset(taught))
    rng = random.Random(seed)
    for recipe in (pool.draw_recipe(rng) for _ in range(4)):
        methods[recipe.method].check(dict(recipe.knobs))
        changed = dict(recipe.training)
        pool.training_of(recipe.method).check(changed)
        with_teacher = "teacher" in training.axes and recipe.method in taught
        assert set(changed) - {"teacher"} == set(training.axes) - {"teacher"}
        assert ("teacher" in changed) == with_teacher
        assert Recipe.read(recipe.as_dict()) == recipe
        flat = as_parameters(Candidate(Architecture.of({"width": 2}), recipe))
        assert len(flat) == 2 + len(recipe.knobs) + len(recipe.training)


@given(METHODS, TRAINING, st.sets(st.sampled_from(["soften", "dist"])), st.integers())
def test_a_step_draws_one_axis_anew(
    methods: dict[str, Space], training: Space, taught: set[str], seed: int
) -> None:
    pool = Pool(POOL.architectures, methods, training, frozenset(taught))
    rng = random.Random(seed)
    here = Candidate(Architecture.of(pool.architectures.draw(rng)), pool.draw_recipe(rng))
    there = pool.step(here, rng)
    pool.architectures.check(there.architecture.as_dict())
    methods[there.recipe.method].check(dict(there.recipe.knobs))
    pool.training_of(there.recipe.method).check(dict(there.recipe.training))
    before, after = as_parameters(here), as_parameters(there)
    if before["method"] == after["method"] and here.architecture != there.architecture:
        assert here.recipe == there.recipe
    if before["method"] != after["method"]:
        assert here.architecture == there.architecture


def test_steps_come_to_every_candidate() -> None:
    pool, rng = (
        Pool(POOL.architectures, {"hard": Space({}), "dist": Space({})}),
        random.Random(0),
    )
    at = Candidate(Architecture.of({"width": 2}), Recipe.of("hard", {}))
    seen = set()
    for _ in range(100):
        at = pool.step(at, rng)
        seen.add(at)
    assert len(seen) == 4


def test_who_teaches_is_a_choice_of_methods_with_teachers_alone() -> None:
    rng = random.Random(0)
    drawn = [POOL.draw_recipe(rng) for _ in range(60)]
    assert {r.method for r in drawn} == {"hard", "soften"}
    assert {teacher_of(r) for r in drawn if r.method == "soften"} == {"teacher", "big"}
    assert {teacher_of(r) for r in drawn if r.method == "hard"} == {"teacher"}
    assert all("teacher" not in dict(r.training) for r in drawn if r.method == "hard")
    assert teacher_of(None) == teacher_of(Recipe.of("soften", {})) == "teacher"


def test_parameters_are_flat_and_knobs_named_after_their_method() -> None:
    changed = {"learning_rate": 0.02, "teacher": "big"}
    recipe = Recipe.of("soften", {"temperature": 4.0, "weight": 0.5}, changed)
    candidate = Candidate(Architecture.of({"width": 2}), recipe)
    assert as_parameters(candidate) == {
        "width": 2,
        "method": "soften",
        "soften.temperature": 4.0,
        "soften.weight": 0.5,
        "learning_rate": 0.02,
        "teacher": "big",
    }
