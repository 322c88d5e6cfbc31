"""A finished search on other targets: its trials, their new values, and nothing trained."""

import copy
from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.core.budget import parse
from kdsearch.core.objectives import known_on
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.space import Choice, Space
from kdsearch.files import read_json
from kdsearch.pipeline.adoption import (
    EARLIER_BUDGET,
    Adopting,
    copy_results,
    differs_in_targets,
    revalued,
    taken_over,
    untouched,
)
from kdsearch.pipeline.context import Context, open_context
from kdsearch.pipeline.trials import recorded
from kdsearch.rundir import RunDir
from kdsearch.search.pool import Pool
from kdsearch.search.terms import Terms
from kdsearch.search.trial import Trial

SERVER = {"name": "server", "rounds": 4}
EDGE = {"name": "edge", "runtime": "eager", "rounds": 2}
KNOWN = known_on(("server", "edge"))


class Said(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def nothing_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*given: Any, **more: Any) -> Any:
        raise AssertionError("a training")

    monkeypatch.setattr("kdsearch.training.fit.train_step", refused)


def test_an_added_target_becomes_an_objective_without_training(
    copied: RunDir, tiny: Any, go: Any, nothing_is_trained: None
) -> None:
    old, said = copied.facts()["study"], Said()
    before = {t.number: t for t in recorded(copied, old)}
    known = {p["trial"]: p for p in read_json(copied.front)["points"]}
    openings = len(copied.test_openings.read_text().splitlines())
    search = {"objectives": ["accuracy", "latency_ms@edge"]}
    config = tiny(latency=[SERVER, EDGE], search=search)
    go(config, copied.root, said)
    new = copied.facts()["study"]
    assert new != old and copied.journal(old).exists()
    assert f"search: {len(before)} trials of the earlier search taken over" in " ".join(
        said.lines
    )
    for trial in recorded(copied, new):
        assert trial.candidate == before[trial.number].candidate
        assert trial.state == before[trial.number].state
        for rung, (accuracy, _) in trial.scores.items():
            assert accuracy == before[trial.number].scores[rung][0]
    front = read_json(copied.front)
    assert front["objectives"] == ["accuracy", "latency_ms@edge"]
    finals = {int(path.parent.name) for path in copied.trials(old).glob("*/rung2.json")}
    assert front["points"] and {p["trial"] for p in front["points"]} <= finals
    for point in front["points"]:
        assert point["latency"]["edge"]["p50"] == point["costs"]["latency_ms@edge"]
        if point["trial"] in known:
            assert point["test_accuracy"] == known[point["trial"]]["test_accuracy"]
    fresh = {p["trial"] for p in front["points"]} - known.keys()
    lines = copied.test_openings.read_text().splitlines()
    assert len(lines) == openings + bool(fresh), "students tested before are not tested again"

    said = Said()
    go(config, copied.root, said)
    assert said.lines[-1] == "everything was done before; nothing was done again"
    go(tiny(), copied.root)
    assert copied.facts()["study"] == old, "and back to the search there was"


def test_other_finalists_are_chosen_among_all_that_were_taken_over(
    tiny: Any, tmp_path: Path
) -> None:
    """As long as they are as they were, among those that were trained to the end."""
    trials = [trial("complete")]

    def asking(count: int) -> Context:
        config = parse_config(tiny(finalists={"count": count}))
        return open_context(config, tmp_path / "run", Silent())

    context = asking(2)
    context.run.note(adopted={"new": taken_over(context, "old", trials)})
    assert untouched(context, "new", trials)
    assert not untouched(context, "new", trials * 2), "it went on"
    assert not untouched(context, "another", trials)
    assert not untouched(asking(3), "new", trials)


BASE: dict[str, Any] = {
    "data": "d",
    "seed": 0,
    "objectives": ["accuracy", "latency_ms"],
    "budget": {"latency_ms": "60%", "params": None},
    "target": "a",
}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, False),
        ({"target": "b"}, True),
        ({"targets": {"edge": "b"}}, True),
        ({"targets": {"edge": "b"}, "objectives": ["accuracy", "latency_ms@edge"]}, True),
        (
            {"targets": {"edge": "b"}, "objectives": ["accuracy", "own", "latency_ms@edge"]},
            False,
        ),
        ({"objectives": ["accuracy", "macs"]}, False),
        ({"target": "b", "seed": 1}, False),
        ({"target": "b", "sampler": "random"}, False),
        ({"target": "b", "budget": {"latency_ms": "60%", "latency_ms@edge": 5}}, True),
        ({"target": "b", "budget": {"latency_ms": "50%"}}, False),
        ({"target": "b", "budget": {}}, False),
    ],
)
def test_only_a_search_on_other_targets_takes_trials_over(
    changed: dict[str, Any], expected: bool
) -> None:
    """Where a bound was loosened, who was stopped by it would deserve a training."""
    assert differs_in_targets(BASE, {**copy.deepcopy(BASE), **changed}) == expected


STUDENT = Architecture.of({"width": 2})
CANDIDATE = Candidate(STUDENT, Recipe.of("hard", {}))
NAMES = ("accuracy", "latency_ms")


def adopting(edge_ms: float) -> Adopting:
    objectives = (KNOWN["accuracy"], KNOWN["latency_ms@edge"])
    bound = parse("latency_ms@edge", "50%", known=tuple(KNOWN.values()))
    terms = Terms(8, 4, (0.5, 1.0), 2, objectives, (bound,), 0)
    pool = Pool(Space({"width": Choice((2, 4))}), {"hard": Space({})})
    costs = {STUDENT.id: {"latency_ms": 3.0, "latency_ms@edge": edge_ms}}
    return Adopting("new", pool, terms, costs, {"latency_ms@edge": 100.0})


def trial(state: Any, **more: Any) -> Trial:
    return Trial(0, CANDIDATE, state, {0: (0.3, 1.0), 1: (0.8, 1.0)}, **more)


def test_scores_stay_and_costs_are_the_new_ones() -> None:
    found = revalued(trial("complete"), NAMES, adopting(40.0))
    assert found.scores == {0: (0.3, 40.0), 1: (0.8, 40.0)}
    assert (found.state, found.violations) == ("complete", {})


def test_a_trained_student_beyond_the_new_budget_is_out() -> None:
    found = revalued(trial("complete"), NAMES, adopting(75.0))
    assert (found.state, found.violations) == ("stopped", {"latency_ms@edge": 0.5})
    assert "latency_ms@edge" in found.reason


def test_one_that_an_earlier_target_was_too_slow_for_stays_untrained() -> None:
    old = trial("stopped", violations={"latency_ms": 0.2}, reason="over budget: latency_ms")
    found = revalued(old, NAMES, adopting(40.0))
    assert (found.state, found.violations, found.reason) == ("stopped", {}, EARLIER_BUDGET)


def test_results_come_along_also_where_some_did_before(tmp_path: Any) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "0000").mkdir(parents=True)
    (old / "0000" / "rung1.json").write_text("{}")
    (old / "0000" / "student.safetensors").write_bytes(b"weights")
    for _ in range(2):
        copy_results(old, new)
    assert (new / "0000" / "student.safetensors").samefile(old / "0000" / "student.safetensors")
    assert (new / "0000" / "rung1.json").read_text() == "{}"
    assert not (new / "0000" / "rung1.json").samefile(old / "0000" / "rung1.json")
    copy_results(tmp_path / "nowhere", tmp_path / "else")
    assert not (tmp_path / "else").exists()
