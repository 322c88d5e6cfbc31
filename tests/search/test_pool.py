import random

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.space import Choice, Range, Space
from kdsearch.search.pool import Pool, as_parameters

POOL = Pool(
    Space({"width": Choice((2, 4))}),
    {
        "hard": Space({}),
        "soften": Space({"temperature": Range(1, 10), "weight": Choice((0.5,))}),
    },
)


def test_a_drawn_recipe_has_a_value_for_each_knob_of_its_method() -> None:
    rng = random.Random(0)
    drawn = [POOL.draw_recipe(rng) for _ in range(40)]
    assert {r.method for r in drawn} == {"hard", "soften"}
    for recipe in drawn:
        POOL.methods[recipe.method].check(dict(recipe.knobs))


def test_parameters_are_flat_and_knobs_named_after_their_method() -> None:
    recipe = Recipe.of("soften", {"temperature": 4.0, "weight": 0.5})
    candidate = Candidate(Architecture.of({"width": 2}), recipe)
    assert as_parameters(candidate) == {
        "width": 2,
        "method": "soften",
        "soften.temperature": 4.0,
        "soften.weight": 0.5,
    }
