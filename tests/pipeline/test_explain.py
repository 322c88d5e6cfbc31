"""What a person is told of a search: importance, knee, and what a step more buys."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.space import Choice, Space
from kdsearch.errors import RunError
from kdsearch.files import write_json
from kdsearch.pipeline import importance as importance_module
from kdsearch.pipeline.explain import explain, lines, unit_of
from kdsearch.rundir import RunDir
from kdsearch.search import shares as shares_module
from kdsearch.search.pool import Pool
from kdsearch.search.trial import Trial

POOL = Pool(
    Space({"width": Choice((2, 4, 8)), "depth": Choice((1, 2))}),
    {"hard": Space({}), "soften": Space({"weight": Choice((0.5, 0.9))})},
)
MS = "latency_ms"


@pytest.fixture(autouse=True)
def small_forests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares_module, "TREES", 16)
    monkeypatch.setattr(shares_module, "FEW_TREES", 4)


def trial(number: int) -> Trial:
    """Accuracy depends on the width alone, a latency on both axes."""
    width, depth = (2, 4, 8)[number % 3], 1 + number // 3 % 2
    method = ("hard", "soften")[number // 6 % 2]
    knobs = {"weight": (0.5, 0.9)[number // 12 % 2]} if method == "soften" else {}
    one = Candidate(Architecture.of({"width": width, "depth": depth}), Recipe.of(method, knobs))
    return Trial(number, one, "complete", {1: (0.8 + width / 100, 0.1 * width * depth)})


def point(name: str, accuracy: float, ms: float) -> dict[str, Any]:
    """A published student; its accuracy's interval is two points wide."""
    half = [accuracy - 0.01, accuracy + 0.01]
    return {
        "id": name, "search_accuracy": accuracy, "search_accuracy_ci95": half,
        "scores": {"accuracy": accuracy}, "scores_ci95": {"accuracy": half},
        "costs": {MS: ms}, "params": 100, "macs": 200,
        "latency": {"here": {"p50": ms, "p95": 2 * ms, "ci95": [ms, ms]}},
    }  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    """A run of accuracy against latency, in which nothing was found yet."""
    made = RunDir(tmp_path / "run")
    made.root.mkdir()
    made.config.write_text("seed: 0\n")
    made.note(study="s", study_key={"objectives": ["accuracy", MS]})
    return made


@pytest.fixture
def having(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The run with so many trials, and with these students on its front."""

    def made(trials: int, *points: Mapping[str, Any]) -> RunDir:
        found = [trial(number) for number in range(trials)]
        monkeypatch.setattr("kdsearch.pipeline.explain.all_trials", lambda _: found)
        if points:
            directions = {"accuracy": "maximize", MS: "minimize"}
            write_json(run.front, {"points": list(points), "directions": directions})
        return run

    return made


def test_the_axis_that_matters_is_named_first(having: Any) -> None:
    content = explain(having(48))
    accuracy, latency = content["importance"]
    assert (accuracy["objective"], accuracy["rung"], accuracy["trials"]) == ("accuracy", 1, 48)
    assert accuracy["axes"][0]["axis"] == "width"
    assert accuracy["axes"][0]["part"] == "architecture"
    assert [one["above_chance"] for one in accuracy["axes"]] == [True, False, False]
    assert {one["part"] for one in accuracy["parts"]} == {"architecture", "method"}
    assert list(accuracy["within"]) == ["soften"]
    assert (latency["rung"], latency["trials"], latency["axes"]) == (None, 6, [])
    json.dumps(content, allow_nan=False)


def test_lines_for_a_person(having: Any) -> None:
    said = "\n".join(lines(explain(having(48))))
    head = "accuracy: 48 trials at rung 1; how much of the variance each axis explains alone"
    assert said.startswith(head)
    assert "together: architecture " in said and "not above chance" in said
    assert "within soften, 24 trials: weight " in said
    few = "latency p50: 6 architectures; too few to tell what matters, 10 are needed"
    assert few in said.splitlines()


def test_a_few_trials_say_plainly_that_they_are_too_few(having: Any) -> None:
    said = lines(explain(having(5)))
    assert said[0] == (
        "accuracy: 5 trials at rung 1; too few to tell what matters, 10 are needed"
    )
    assert lines(explain(having(0)))[0].startswith(
        "accuracy: 0 architectures at rung 0; too few"
    )


FRONT = (point("s1", 0.90, 0.2), point("s2", 0.95, 0.5), point("s3", 0.955, 2.5))


def test_what_a_step_more_buys(having: Any) -> None:
    content = explain(having(5, *FRONT))
    assert content["knee"] == "s2"
    first, second = content["steps"]
    assert (first["from"], first["to"], first["intervals_overlap"]) == ("s1", "s2", False)
    assert (second["from"], second["to"], second["intervals_overlap"]) == ("s2", "s3", True)
    assert first["slope"] == pytest.approx(0.05 / 0.3)
    assert lines(content)[-3:] == [
        "knee of the front: s2",
        "  s1 → s2 (knee): +5 points for +300 µs, 16.7 points per ms",
        "  s2 (knee) → s3: +0.5 points for +2 ms, 0.25 points per ms; the intervals overlap",
    ]


def test_two_students_have_a_step_and_no_knee(having: Any) -> None:
    said = lines(explain(having(5, *FRONT[:2])))
    assert said[-2] == "knee of the front: none, with fewer than three students"
    assert said[-1].endswith("+5 points for +300 µs, 0.0167 points per µs")


@pytest.mark.parametrize("points", [(), FRONT[:1]])
def test_a_front_with_no_step(having: Any, points: Any) -> None:
    content = explain(having(5, *points))
    assert (content["knee"], content["steps"]) == (None, [])
    assert lines(content)[-1].startswith("front: fewer than two students")


@pytest.mark.parametrize(
    ("cost", "price", "word"),
    [(MS, 1.0, "ms"), (MS, 0.5, "µs"), (MS, 1e-6, "µs"), ("params", 2e6, "M parameters"),
     ("params", 1500, "k parameters"), ("macs", 12, "MAC"), ("mine", 3, "mine")],
)  # fmt: skip
def test_one_more_is_one_that_a_step_can_pay(cost: str, price: float, word: str) -> None:
    assert unit_of(cost, price)[1] == word


def test_where_the_search_has_not_begun(run: RunDir, tmp_path: Path) -> None:
    run.state.unlink()
    run.note(data="here")
    with pytest.raises(RunError, match="the search has not begun"):
        explain(run)
    with pytest.raises(RunError, match="no run here"):
        explain(RunDir(tmp_path / "none"))


def test_objectives_of_the_users_own_have_their_name(run: RunDir) -> None:
    run.note(study_key={"objectives": ["accuracy", "mine"]})
    assert [e["objective"] for e in importance_module.important(run, [])] == [
        "accuracy",
        "mine",
    ]


def test_a_whole_run_is_explained(finished: RunDir) -> None:
    content = explain(finished)
    names = [entry["objective"] for entry in content["importance"]]
    assert names == ["accuracy", "macs"]
    ids = [p["id"] for p in finished.read(finished.front)["points"]]
    assert [s["from"] for s in content["steps"]] == ids[:-1]
    assert [s["to"] for s in content["steps"]] == ids[1:]
    assert all(s["gain"] > 0 and s["price"] > 0 for s in content["steps"])
    assert lines(content)
