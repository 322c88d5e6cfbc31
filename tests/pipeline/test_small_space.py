"""Real searches of a space of eight students: scored whole before any trial, and as a grid."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.core.ladder import is_audited, screened
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Recipe
from kdsearch.data.stored import read_info
from kdsearch.files import read_json
from kdsearch.measure.size import macs
from kdsearch.nets.kinds import family_of
from kdsearch.pipeline.context import open_context
from kdsearch.pipeline.jobs import inherited_folder
from kdsearch.pipeline.status import status
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir
from kdsearch.spaces import load_space

SPACE = """
family: resnet
min_size: 8
max_size: 32
choices:
  stage1.width: [2, 4]
  stage2.width: [4]
  stage3.width: [8, 16]
  stage1.depth: [1]
  stage2.depth: [1, 2]
  stage3.depth: [1]
"""
Config = Callable[..., dict[str, Any]]


class Heard(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture(scope="module")
def config(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Config:
    path = tmp_path_factory.mktemp("spaces") / "eight.yaml"
    path.write_text(SPACE)

    def made(**search: Any) -> dict[str, Any]:
        methods = ["soften"] if search.get("sampler") == "grid" else ["soften", "hard"]
        content: dict[str, Any] = tiny(
            space=str(path),
            supernet={"epochs": 1},
            distill={"epochs": 1, "methods": methods},
            search={"screen_layers": 1, "reduction": 1, **search},
        )
        return content

    return made


@pytest.mark.slow
def test_every_student_is_scored_and_the_promising_are_proposed(
    config: Config, go: Any, tmp_path: Path
) -> None:
    heard = Heard()
    run = go(config(trials=12), tmp_path / "run", heard, until="search")
    space = load_space(config()["space"]).space
    everyone = [Architecture.of(point) for point in space.points()]
    assert len(everyone) == 8
    assert "search: all 8 students with inherited weights" in heard.lines
    results = inherited(run, config())
    assert results.keys() == {a.id for a in everyone}
    worth = promising(results, everyone)
    assert f"search: {len(worth)} of them are worth a training" in heard.lines
    proposed = [t for t in trials(run) if t.number > 1 and not is_audited(0, t.number)]
    assert {t.candidate.architecture for t in proposed} <= worth
    assert {t.state for t in proposed} == {"complete"} and len(proposed) > 6


def inherited(run: RunDir, config: dict[str, Any]) -> dict[str, float]:
    """Accuracies of rung 0 by student, of the run's own supernet."""
    facts = run.facts()
    context = open_context(parse_config(config), run.root, Silent())
    folder = inherited_folder(context, Path(facts["supernet"]), read_info(Path(facts["data"])))
    return {p.parent.name: read_json(p)["accuracy"] for p in folder.glob("*/rung0.json")}


def promising(accuracies: dict[str, float], everyone: list[Architecture]) -> set[Architecture]:
    """The students on the front of inherited accuracy and multiply-accumulates."""
    family = family_of("resnet")
    points = [(-accuracies[a.id], macs(family.student(a, 1, 10), (1, 8, 8))) for a in everyone]
    return {a for a, keep in zip(everyone, screened(points, 1), strict=True) if keep}


@pytest.mark.slow
def test_where_it_is_too_large_to_score_whole_only_what_is_tried_is_scored(
    config: Config, go: Any, tmp_path: Path
) -> None:
    heard = Heard()
    content = config(trials=2, exhaustive=7, start=["smallest"])
    content["supernet"] = {**content["supernet"], "epochs": 2}  # one that scored nobody yet
    run = go(content, tmp_path / "run", heard, until="search")
    assert not any("worth a training" in line for line in heard.lines)
    tried = {t.candidate.architecture.id for t in trials(run)}
    assert inherited(run, content).keys() == tried and len(tried) <= 2


@pytest.mark.slow
def test_a_grid_tries_every_student_once_by_one_recipe_and_is_done(
    config: Config, go: Any, tmp_path: Path
) -> None:
    wanted = config(sampler="grid", trials=99, screen_layers=99)
    run = go(wanted, tmp_path / "run")
    found = trials(run)
    assert len(found) == 8 == len({t.candidate.architecture for t in found})
    assert {t.candidate.recipe for t in found} == {Recipe("soften")}
    assert read_json(run.front)["points"]
    assert status(run)["search"]["ended_by"] == "every student of the space was tried"
    page = run.report.read_text(encoding="utf-8")
    assert "every student of the space was tried" in page and "How far trials came" in page
    before, heard = read_json(run.ledger), Heard()
    go(wanted, run.root, heard)
    assert read_json(run.ledger) == before
    assert any("nothing was done again" in line for line in heard.lines)
