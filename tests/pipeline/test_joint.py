"""One search over students, methods, their knobs, the training and who teaches."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.errors import TeacherError
from kdsearch.files import read_json
from kdsearch.pipeline.api import load
from kdsearch.pipeline.check import expected
from kdsearch.pipeline.context import open_context
from kdsearch.pipeline.front import front_table
from kdsearch.pipeline.further_teachers import further_teachers
from kdsearch.pipeline.search import pool_of
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir
from kdsearch.search.trial import Trial

Tiny = Callable[..., dict[str, Any]]
Go = Callable[..., RunDir]
VARY = {"learning_rate": [0.02, 0.05], "augment_strength": {"low": 0, "high": 2}}


class Heard(Silent):
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def joint(tiny: Tiny, **search: Any) -> dict[str, Any]:
    """Two epochs, two teachers, `hard` among the methods."""
    return tiny(
        data={"augment": "shift"},
        teacher={"epochs": 2},
        teachers={"small": {"width": 0.5, "epochs": 2}},
        supernet={"epochs": 2},
        distill={"epochs": 2, "methods": ["soften", "hard"]},
        search={"trials": 8, "vary": VARY, **search},
        finalists={"count": 3},
    )


@pytest.fixture(scope="module")
def run(tiny: Tiny, go: Go, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    return go(joint(tiny), tmp_path_factory.mktemp("joint") / "run")


def test_every_trial_has_the_axes_of_its_method(run: RunDir, tiny: Tiny) -> None:
    pool = pool_of(open_context(parse_config(joint(tiny)), run.root, Silent()))
    found = trials(run)
    assert len(found) == 8 and not [t.reason for t in found if t.state == "failed"]
    for trial in found:
        check_recipe(trial, pool)
    assert {t.candidate.recipe.method for t in found} == {"soften", "hard"}


def check_recipe(trial: Trial, pool: Any) -> None:
    recipe = trial.candidate.recipe
    changed = dict(recipe.training)
    pool.training_of(recipe.method).check(changed)
    assert changed["learning_rate"] in (0.02, 0.05) and 0 <= changed["augment_strength"] <= 2
    assert ("teacher" in changed) == (recipe.method == "soften")


def test_each_teacher_is_a_result_of_the_store_and_noted(run: RunDir) -> None:
    facts = run.facts()
    assert (
        list(facts["teachers"]) == ["small"] and facts["teachers"]["small"] != facts["teacher"]
    )
    link = run.root / "teacher-small"
    assert link.resolve() == Path(facts["teachers"]["small"])
    small, first = (
        read_json(folder / "teacher.json") for folder in (link, run.root / "teacher")
    )
    assert small["params"] < first["params"]
    assert small["search_accuracy"] != first["search_accuracy"]
    assert facts["study_key"]["teachers"] == {"small": link.resolve().name}
    assert read_json(run.ledger)["stages"]["teacher"] > 0


def test_what_a_recipe_changed_is_shown_wherever_its_knobs_are(run: RunDir) -> None:
    rows = load(run.root).trials
    assert all(row["training.learning_rate"] in (0.02, 0.05) for row in rows)
    assert all(("training.teacher" in row) == (row["method"] == "soften") for row in rows)
    content = read_json(run.front)
    assert all(point["recipe"]["training"] for point in content["points"])
    assert front_table(content).count("augment_strength ") == len(content["points"])
    report = run.report.read_text(encoding="utf-8")
    assert "training, of every method" in report and "augment_strength" in report


def test_a_changed_space_begins_a_new_study_and_says_why(
    run: RunDir, tiny: Tiny, go: Go
) -> None:
    old, heard = run.facts()["study"], Heard()
    vary = {**VARY, "learning_rate": [0.02]}
    go(joint(tiny, vary=vary, trials=2), run.root, heard, until="search")
    new = run.facts()["study"]
    assert new != old and run.journal(old).exists() and len(trials(run)) == 2
    line = f"a new study begins, the old one stays in study-{old}.journal"
    assert f"search.vary.learning_rate: [0.02, 0.05] → [0.02]; {line}" in heard.lines
    back = Heard()
    go(joint(tiny), run.root, back, until="search")
    assert run.facts()["study"] == old and len(trials(run)) == 8
    assert any("its own study goes on" in line for line in back.lines)


def test_a_teacher_named_no_more_is_linked_no_more(tiny: Tiny, go: Go, tmp_path: Path) -> None:
    content = joint(tiny)
    run = go(content, tmp_path / "run", until="teacher")
    assert (run.root / "teacher-small").exists()
    content["teachers"] = {}
    go(content, run.root, until="teacher")
    assert not (run.root / "teacher-small").is_symlink()
    assert run.facts()["teachers"] == {} and (run.root / "teacher").exists()


def test_a_teacher_that_cannot_teach_is_named(tiny: Tiny, go: Go, tmp_path: Path) -> None:
    content = joint(tiny)
    content["teachers"] = {"old": {"network": f"checkpoint:{tmp_path}"}}
    with pytest.raises(TeacherError, match=r"^teachers\.old: .*no teacher.json"):
        go(content, tmp_path / "run", until="teacher")


def test_without_further_teachers_nothing_is_made(tiny: Tiny, tmp_path: Path) -> None:
    context = open_context(parse_config(tiny()), tmp_path, Silent())
    assert further_teachers(context, tmp_path, None) == {}  # type: ignore[arg-type]  # unused


def test_an_estimate_counts_every_teacher(tiny: Tiny, tmp_path: Path) -> None:
    content = joint(tiny)
    seconds = {}
    for epochs in (1, 2000):
        content["teachers"]["small"]["epochs"] = epochs
        context = open_context(parse_config(content), tmp_path / "run", Silent())
        seconds[epochs] = expected(context).seconds["teacher"]
    assert seconds[2000] > 20 * seconds[1]
