"""What `distill` and `compare` check before they teach: recipes, and somebody else's code."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.core.records import Recipe
from kdsearch.errors import RunError, SearchError, UserError
from kdsearch.pipeline.compare import LONGEST, place_of
from kdsearch.pipeline.distill import distill
from kdsearch.pipeline.lessons import recipe_of
from kdsearch.search import rung

METHODS = """\
from kdsearch.core.space import Space
from kdsearch.distill.method import Needs

class Raising:
    name, knobs, options, needs = "raising", Space({}), Space({}), Needs()
    def __call__(self, seen):
        raise KeyError("of two\\nlines")

class Rows(Raising):
    name = "rows"
    def __call__(self, seen):
        return seen.logits.sum(1)

class Parts(Raising):
    name, needs = "parts", Needs(parts=lambda probe: 1 / 0)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of methods in the working folder."""
    (tmp_path / "methods_of_tests.py").write_text(METHODS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", str(tmp_path))])
    monkeypatch.delitem(sys.modules, "methods_of_tests", raising=False)
    return "module:methods_of_tests"


@pytest.fixture
def taught(tiny: Any, tmp_path: Path) -> Callable[..., Any]:
    def run(method: str) -> Any:
        config = parse_config(tiny(distill={"epochs": 1, "methods": [method]}))
        return distill(config, tmp_path / "run", Silent())

    return run


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("Raising", "cannot take a step with this student: KeyError: .*lines"),
        ("Rows", "cannot take a step with this student: RuntimeError: grad"),
        ("Parts", "cannot take a step with this student: ZeroDivisionError: division by zero"),
    ],
)
def test_somebody_elses_method_takes_a_step_first(
    method: str,
    words: str,
    own: str,
    taught: Callable[..., Any],
    tmp_path: Path,
) -> None:
    with pytest.raises(UserError, match=f"method '{own}:{method}' {words}") as caught:
        taught(f"{own}:{method}")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "lessons").exists(), "before anything is taught"


def test_our_own_fault_says_where_details_stand(
    taught: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*arguments: Any, **more: Any) -> Any:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(rung, "fit", failing)
    with pytest.raises(
        SearchError, match="bug: ZeroDivisionError: ours; details stand in "
    ) as e:
        taught("hard")
    path = Path(str(e.value).rpartition(" ")[2])
    assert path.is_relative_to(tmp_path) and "Traceback" in path.read_text()


@pytest.mark.parametrize("content", ["[]", '{"job": "x", "wrong": 1}', '{"job": '])
def test_a_damaged_result_is_told(
    content: str, taught: Callable[..., Any], tmp_path: Path
) -> None:
    taught("hard")
    (found,) = (tmp_path / "run" / "lessons").glob("*/*/rung1.json")
    found.write_text(content)
    for file in (tmp_path / "run" / "student").iterdir():
        file.unlink()
    with pytest.raises(RunError, match=f"{found}: not .*; remove {found}, and the command"):
        taught("hard")
    found.unlink()
    taught("hard")


def test_a_value_given_beside_the_name_ends_a_choice_of_the_config() -> None:
    knobs = {"dist.tau": [1.0, 2.0], "dist.beta": {"low": 1, "high": 2}}
    settings = parse_config({"distill": {"methods": ["dist"], "knobs": knobs}}).distill
    given = recipe_of(settings, "dist@tau=4@beta=2")
    assert given == Recipe.of("dist", {"tau": 4, "beta": 2})
    with pytest.raises(UserError, match=r"one recipe needs one value, for example \[1.0\]"):
        recipe_of(settings, "dist@beta=2")
    with pytest.raises(UserError, match=r"dist\.beta leaves .* for example \[1.0\]"):
        recipe_of(settings, "dist@tau=1")


def test_a_knob_is_given_once() -> None:
    with pytest.raises(UserError, match="weight is given twice; name it once"):
        recipe_of(parse_config({}).distill, "soften@weight=0.5@ weight =0.6")


def test_blanks_around_a_plus_are_none_of_a_methods_name() -> None:
    settings = parse_config(
        {"distill": {"methods": ["nkd + dist"], "knobs": {"nkd+dist.dist.tau": [2.0]}}}
    ).distill
    assert settings.names == ("nkd+dist",)
    assert recipe_of(settings, "nkd + dist") == recipe_of(settings, "nkd+dist")
    assert dict(recipe_of(settings, "nkd + dist").knobs) == {"dist.tau": 2.0}


def test_places_are_names_of_one_folder() -> None:
    settings = parse_config({}).distill
    assert place_of("dist@tau=1", recipe_of(settings, "dist@tau=1")) == "dist@tau=1"
    long = "information_flow@" + "@".join(f"weight={i}" for i in range(20))
    text = f"nkd+dist{'@nkd.gamma=1.0'.replace('0', '0' * LONGEST)}"
    for words in (text, "kernels/" + long):
        place = place_of(words, recipe_of(settings, "nkd+dist"))
        assert len(place) < LONGEST + 40 and "/" not in place
