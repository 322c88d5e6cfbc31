import json
import random

import pytest

from kdsearch.core.records import Architecture, Candidate, Recipe, Result

CHOICES = {"stage2.width": 8, "stage1.width": 4, "stage1.depth": 2}


def test_an_architecture_is_its_choices_in_any_order() -> None:
    one = Architecture.of(CHOICES)
    items = list(CHOICES.items())
    random.Random(0).shuffle(items)
    other = Architecture.of(dict(items))
    assert one == other
    assert hash(one) == hash(other)
    assert one.id == other.id
    assert Architecture.of(one.as_dict()) == one
    assert one["stage1.width"] == 4


def test_an_architecture_survives_json() -> None:
    one = Architecture.of(CHOICES)
    again = Architecture.of(json.loads(json.dumps(one.as_dict())))
    assert (again, again.id) == (one, one.id)


def test_ids_are_the_same_everywhere() -> None:
    """First digits of sha256('[["a", 1], ["b", 2]]'), by sha256sum."""
    assert Architecture.of({"b": 2, "a": 1}).id == "91cea03dbc"


def test_different_choices_have_different_ids() -> None:
    ids = {Architecture.of({"a": a, "b": b}).id for a in range(30) for b in range(30)}
    assert len(ids) == 900


def test_a_recipe_keeps_its_method_and_knobs() -> None:
    recipe = Recipe.of("soften", {"weight": 0.9, "temperature": 4.0})
    assert recipe == Recipe.of("soften", {"temperature": 4.0, "weight": 0.9})
    content = recipe.as_dict()
    assert content == {"method": "soften", "knobs": {"temperature": 4.0, "weight": 0.9}}
    assert Recipe.of(content["method"], content["knobs"]) == recipe
    assert len({Candidate(Architecture.of(CHOICES), recipe) for _ in range(2)}) == 1


@pytest.mark.parametrize(
    "result",
    [
        Result("trial 7, rung 1", 1, "done", 0.25, 3.5, details={"curve": [[1, 2.5]]}),
        Result("inherited/3f", 0, "diverged", reason="loss is nan at step 3"),
    ],
)
def test_a_result_survives_json(result: Result) -> None:
    assert Result.of(json.loads(json.dumps(result.as_dict()))) == result
