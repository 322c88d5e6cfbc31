"""Recipes in one word: their values may leave a method's own range as a config's may."""

import pytest

from kdsearch.config.models import Distill
from kdsearch.config.recipes import recipe_of
from kdsearch.core.records import Recipe
from kdsearch.distill.kinds import method_of
from kdsearch.errors import UserError


def test_a_wider_value_is_taken_and_the_method_made_with_it() -> None:
    recipe = recipe_of(Distill(), "soften@temperature=32@weight=1")
    assert recipe == Recipe.of("soften", {"temperature": 32, "weight": 1})
    method = method_of(recipe)
    assert vars(method) == {"temperature": 32.0, "weight": 1.0}
    assert all(type(value) is float for value in vars(method).values())


def test_of_a_sum_too() -> None:
    text = "soften+dist@soften.temperature=32@weight.dist=40"
    recipe = recipe_of(Distill(), text)
    assert dict(recipe.knobs) == {"soften.temperature": 32, "weight.dist": 40}
    with pytest.raises(UserError, match="weight.dist = 0; allowed: 0.25 to 4.0 .*above 0$"):
        recipe_of(Distill(), "soften+dist@weight.dist=0")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("soften@weight=1.5", "weight = 1.5; allowed: 0.1 to 0.95, or any number above 0 and"),
        ("multi_level@views=3", "method 'multi_level': views = 3; allowed: one of 1, 2, 4"),
        ("hard@temperature=2", "method 'hard': unknown knob 'temperature'"),
    ],
)
def test_others_are_refused_in_one_line(text: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        recipe_of(Distill(), text)
    assert line in str(caught.value) and "\n" not in str(caught.value)
