"""What a search may begin with, and what a grid takes: each mistake with its way out."""

from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import parse_config, read_config
from kdsearch.config.recipes import one_recipe, searched_methods
from kdsearch.core.space import Choice
from kdsearch.errors import ConfigError
from kdsearch.spaces import load_space

SPACE = load_space("resnet-tiny").space
GRID = {"sampler": "grid"}
SMALL = {"space": "small.yaml", "distill": {"methods": ["soften"]}}


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    axes = {"stage1.width": [2, 4], "stage2.width": [4], "stage3.width": [8]}
    axes |= {f"stage{k}.depth": [1] for k in (1, 2, 3)}
    listed = "\n".join(f"  {name}: {values}" for name, values in axes.items())
    text = f"family: resnet\nmin_size: 8\nmax_size: 32\nchoices:\n{listed}\n"
    (tmp_path / "small.yaml").write_text(text)


def refusal(**content: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(content)
    return str(caught.value).partition(": ")[2]


def test_students_to_start_with_are_of_the_space() -> None:
    own = {**SPACE.smallest(), "stage1.width": SPACE.largest()["stage1.width"]}
    assert parse_config({"search": {"start": [own, "largest"]}}).search.start[0] == own
    assert parse_config({"search": {"start": []}}).search.start == ()
    wide = {**own, "stage1.width": 3}
    line = refusal(search={"start": ["smallest", wide]})
    assert line.startswith("search.start[1] = ") and "stage1.width = 3; allowed: one of" in line
    for wrong, said in (("4", "'4'; allowed: one of 2"), (True, "true; allowed: one of")):
        line = refusal(search={"start": [{**own, "stage1.width": wrong}]})
        assert f"stage1.width = {said}" in line
        assert line.endswith("; write it without quotes") == (wrong == "4")
    line = refusal(search={"start": [{**own, "stage1.width": [4]}]})
    assert line.startswith("search.start[0].stage1.width = [4]: must be a number")
    line = refusal(search={"start": [{"stage1.width": own["stage1.width"]}]})
    assert "missing: " in line
    assert "search.start[0]" in refusal(search={"start": ["middle"]})


def test_an_earlier_run_is_a_folder_with_a_run(tmp_path: Path) -> None:
    (tmp_path / "earlier").mkdir()
    rule = "no run in this folder; name a run's, or remove this"
    line = refusal(search={"start_from": "earlier"})
    assert line.startswith("search.start_from = ") and line.endswith(rule)
    (tmp_path / "earlier" / "config.yaml").write_text("")
    found = parse_config({"search": {"start_from": "earlier"}}).search.start_from
    assert found == str(tmp_path / "earlier")


def test_an_earlier_run_is_found_from_the_config_files_folder(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "earlier").mkdir(parents=True)
    (folder / "earlier" / "config.yaml").write_text("")
    (folder / "run.yaml").write_text("search: {start_from: earlier}\n")
    assert read_config(folder / "run.yaml").search.start_from == str(folder / "earlier")


def test_numbers_that_make_no_sense() -> None:
    assert "must be at least 1" in refusal(search={"reduction": 0.5})
    assert "must be above 0" in refusal(search={"seconds": 0})
    assert "must be above 0" in refusal(search={"device_seconds": -1.0})
    assert "must be at least 1" in refusal(search={"patience": 0})
    assert "must be at least 0" in refusal(search={"exhaustive": -1})
    assert "search.exhaustive = 200000: must be at most 100000" in refusal(
        search={"exhaustive": 200_000}
    )


# A grid takes one recipe.


def test_a_grid_of_one_method_with_its_defaults() -> None:
    config = parse_config({**SMALL, "search": GRID})
    assert {name: dict(s.axes) for name, s in searched_methods(config).items()} == {
        "soften": {}
    }
    fixed = {**SMALL["distill"], "knobs": {"soften.temperature": [2]}}  # type: ignore[dict-item]
    found = searched_methods(parse_config({**SMALL, "distill": fixed, "search": GRID}))
    assert found["soften"].axes == {"temperature": Choice((2,))}


def test_other_samplers_take_all() -> None:
    found = searched_methods(parse_config({}))
    assert set(found) == {"soften", "hard"} and found["soften"].axes


def test_an_auxiliary_teacher_is_the_largest_subnet_in_a_grid_too() -> None:
    distill = parse_config({"distill": {"methods": ["information_flow"]}}).distill
    assert one_recipe(distill)["information_flow"].axes == {"aux": Choice(("max_subnet",))}


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (
            {"distill": {"methods": ["soften", "hard"]}},
            "distill.methods = ['soften', 'hard']: sampler grid takes one fixed recipe; "
            "name one: [soften], or set search.sampler: tpe",
        ),
        (
            {"distill": {"methods": ["soften"], "knobs": {"soften.temperature": [2, 4]}}},
            "distill.knobs.soften.temperature = [2, 4]: sampler grid takes one fixed recipe; "
            "leave one value: [2], or set search.sampler: tpe",
        ),
        (
            {
                "distill": {
                    "methods": ["soften"],
                    "knobs": {"soften.weight": {"low": 0.5, "high": 0.9}},
                }
            },
            "leave one value: [0.5], or set search.sampler: tpe",
        ),
        (
            {"search": {**GRID, "vary": {"learning_rate": [0.01, 0.1]}}},
            "sampler grid takes one fixed recipe; remove this, or set search.sampler: tpe",
        ),
        ({"teachers": {"big": {"width": 3.0}}}, "remove this, or set search.sampler: tpe"),
    ],
)
def test_a_grid_of_several_recipes_is_refused(changed: dict[str, Any], line: str) -> None:
    assert refusal(**{**SMALL, "search": GRID, **changed}).endswith(line)


def test_a_grid_of_a_huge_space_is_refused() -> None:
    mobile = "mobile-s32"
    students = load_space(mobile).count
    assert students > 100_000
    line = refusal(space=mobile, distill=SMALL["distill"], search=GRID)
    assert line.startswith("search.sampler = 'grid': takes every student, and mobile-s32 has")
    assert line.endswith("; use tpe")
