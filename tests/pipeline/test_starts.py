"""What a search begins with: the space's ends, the user's own list, an earlier run's front."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.errors import RunError, UserError
from kdsearch.files import read_json, write_json
from kdsearch.pipeline.context import open_context
from kdsearch.pipeline.search import pool_of
from kdsearch.pipeline.starts import of_front, starts_of
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir
from kdsearch.search.study.proposer import Start
from kdsearch.spaces import load_space

SPACE = load_space("resnet-tiny").space
SMALLEST, LARGEST = (Architecture.of(end()) for end in (SPACE.smallest, SPACE.largest))
OTHER_SPACE = """
family: resnet
min_size: 8
max_size: 32
choices:
  stage1.width: [3, 5]
  stage2.width: [3]
  stage3.width: [3]
  stage1.depth: [1]
  stage2.depth: [1]
  stage3.depth: [1]
"""


def begun(config: dict[str, Any], out: Path) -> list[Start]:
    context = open_context(parse_config(config), out, Silent())
    return starts_of(context, pool_of(context))


def earlier(run: RunDir) -> list[tuple[Architecture, Recipe]]:
    """The published students of a run."""
    points = read_json(run.front)["points"]
    return [(Architecture.of(p["architecture"]), Recipe.read(p["recipe"])) for p in points]


def test_by_default_the_ends_of_the_space(tiny: Any, tmp_path: Path) -> None:
    assert begun(tiny(), tmp_path) == [Start(SMALLEST), Start(LARGEST)]
    assert begun(tiny(search={"start": []}), tmp_path) == []


def test_the_users_own_list_in_its_order_each_once(tiny: Any, tmp_path: Path) -> None:
    own = {**SPACE.smallest(), "stage1.depth": SPACE.largest()["stage1.depth"]}
    listed = [own, "largest", SPACE.largest(), own]
    found = begun(tiny(search={"start": listed}), tmp_path)
    assert found == [Start(Architecture.of(own)), Start(LARGEST)]


def test_the_front_of_an_earlier_run_with_its_recipes(
    finished: RunDir, tiny: Any, tmp_path: Path
) -> None:
    config = tiny(search={"start": ["largest"], "start_from": str(finished.root)})
    front = [Start(architecture, recipe) for architecture, recipe in earlier(finished)]
    found = begun(config, tmp_path)
    assert found[0] == Start(LARGEST)
    assert set(found[1:]) == set(front) - {Start(LARGEST)} and len(found) == 1 + len(front)


def test_recipes_that_this_search_may_not_propose_are_drawn_anew(
    finished: RunDir, tiny: Any, tmp_path: Path
) -> None:
    search = {"start": [], "start_from": str(finished.root)}
    for methods in (["hard"], ["dist"]):
        found = begun(tiny(distill={"methods": methods}, search=search), tmp_path)
        for start, (architecture, recipe) in zip(found, earlier(finished), strict=True):
            assert start.architecture == architecture
            assert start.recipe == (recipe if recipe.method in methods else None)
    vary = {"vary": {"learning_rate": [0.01, 0.1]}}
    found = begun(tiny(search={**search, **vary}), tmp_path)
    assert {start.recipe for start in found} == {None}, "none of them says a learning rate"


def test_a_front_of_another_space_is_refused(
    finished: RunDir, tiny: Any, tmp_path: Path
) -> None:
    (tmp_path / "other.yaml").write_text(OTHER_SPACE)
    search = {"start_from": str(finished.root)}
    with pytest.raises(UserError) as caught:
        begun(tiny(space=str(tmp_path / "other.yaml"), search=search), tmp_path / "run")
    assert str(caught.value) == (
        f"search.start_from: no student on the front of {finished.root} is one of the space "
        "other; remove it, or name a run of the same space"
    )


def test_students_of_another_space_on_a_mixed_front_are_passed_over(
    copied: RunDir, tiny: Any, tmp_path: Path
) -> None:
    front = read_json(copied.front)
    front["points"][0]["architecture"]["stage1.width"] = 3
    write_json(copied.front, front)
    pool = pool_of(open_context(parse_config(tiny()), tmp_path, Silent()))
    assert len(list(of_front(front["points"], pool))) == len(front["points"]) - 1


def test_a_front_is_read_once_and_may_change_or_go(
    copied: RunDir, tiny: Any, tmp_path: Path
) -> None:
    """A search that began with it is the same one all the same."""
    config = parse_config(tiny(search={"start_from": str(copied.root)}))
    context = open_context(config, tmp_path / "run", Silent())
    before = starts_of(context, pool_of(context))
    shutil.rmtree(copied.root)
    assert starts_of(context, pool_of(context)) == before and len(before) > 2


def test_a_run_does_not_begin_with_itself(copied: RunDir, tiny: Any) -> None:
    config = tiny(search={"start_from": str(copied.root)})
    with pytest.raises(UserError, match=r"is this run itself, .*; remove it"):
        begun(config, copied.root)
    with pytest.raises(UserError, match="is this run itself"):
        begun(config, copied.root.parent / "." / copied.root.name)


def test_a_run_without_a_front_is_refused(copied: RunDir, tiny: Any, tmp_path: Path) -> None:
    copied.front.unlink()
    with pytest.raises(RunError, match=r"^search\.start_from: .*no front\.json yet"):
        begun(tiny(search={"start_from": str(copied.root)}), tmp_path)


@pytest.mark.slow
def test_a_real_search_tries_them_first(
    finished: RunDir, tiny: Any, go: Any, tmp_path: Path
) -> None:
    front = earlier(finished)
    search = {"start": [], "start_from": str(finished.root), "trials": len(front) + 1}
    run = go(tiny(search=search), tmp_path / "run", until="search")
    found = [t.candidate for t in trials(run)]
    assert found[: len(front)] == [Candidate(a, r) for a, r in front]
    assert found[len(front)] not in found[: len(front)]
    own = {"architecture": front[0][0].as_dict(), "recipe": front[0][1].as_dict()}
    assert run.facts()["study_key"]["starts"][0] == own
