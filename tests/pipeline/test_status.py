"""What a run is doing, from its files alone."""

from pathlib import Path
from typing import Any

import pytest

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.space import Choice, Space
from kdsearch.errors import RunError
from kdsearch.files import write_json
from kdsearch.pipeline.status import lines, reason, status
from kdsearch.pipeline.trials import as_csv, further, row, trial_table, trials
from kdsearch.rundir import RunDir
from kdsearch.search.pool import Pool
from kdsearch.search.study.journal import Study
from kdsearch.search.trial import Trial

POOL = Pool(Space({"width": Choice((2, 4, 8))}), {"hard": Space({})})
OUTCOMES: list[dict[str, Any]] = [
    {"state": "complete", "scores": {0: (0.5, 3.0), 1: (0.625, 3.0)}},
    {"state": "failed", "scores": {0: (0.5, 3.0)}, "reason": "diverged: loss is nan at step 3"},
    {"state": "failed", "scores": {0: (0.5, 3.0)}, "reason": "diverged: loss is inf at step 9"},
    {"state": "stopped", "scores": {0: (0.1, 9.0)}, "reason": "over budget: macs 9 (...)"},
]


@pytest.fixture
def halfway(tmp_path: Path) -> RunDir:
    """A run in the middle of its search: four trials told, one under way."""
    run = RunDir(tmp_path / "run")
    run.root.mkdir()
    run.config.write_text("seed: 0\n")
    run.note(data="here", teacher=None, supernet="there", study="abc")
    write_json(run.ledger, {"stages": {"data": 1.0, "supernet": 65.0}})
    study = Study(run.journal("abc"), ("accuracy", "macs"))
    for outcome in [*OUTCOMES, None]:
        trial = study.propose(POOL, "random", 0, study.trials(), batch=0)
        if outcome:
            study.tell(Trial(trial.number, trial.candidate, **outcome))
    return run


def test_status_of_a_search_under_way(halfway: RunDir) -> None:
    content = status(halfway)
    assert content["trials"] == {"complete": 1, "failed": 2, "stopped": 1, "running": 1}
    assert content["reasons"] == {"failed: diverged": 2, "stopped: over budget": 1}
    assert content["failed"] == {
        "1": "diverged: loss is nan at step 3",
        "2": "diverged: loss is inf at step 9",
    }
    assert content["stages"] == {
        "data": "done", "teacher": "none", "supernet": "done", "search": "not yet",
        "finalists": "not yet", "report": "not yet",
    }  # fmt: skip
    with halfway.writing():
        assert status(halfway)["stages"]["search"] == "under way"


def test_lines_for_a_person(halfway: RunDir) -> None:
    said = lines(status(halfway))
    assert said[0] == f"{halfway.root}: nobody at work"
    assert any("supernet" in line and "1 min 05 s" in line for line in said)
    assert "trials: 1 complete, 2 failed, 1 stopped, 1 running" in said
    assert "  2 × failed: diverged" in said
    assert "  trial 1 failed: diverged: loss is nan at step 3" in said


def test_latencies_of_a_busy_machine_are_counted(halfway: RunDir, tmp_path: Path) -> None:
    """Each student once, however many trials it has; another run's are not counted."""
    asked = {t.candidate.architecture.id for t in trials(halfway)}
    for name in (*asked, "another"):
        write_json(tmp_path / "store" / f"{name}.json", {"p50_ms": 1.0, "busy": True})
    assert status(halfway)["busy_latencies"] == 0
    halfway.link("latency", tmp_path / "store")
    content = status(halfway)
    assert content["busy_latencies"] == len(asked) > 0
    line = f"latency of {len(asked)} students measured on a busy machine"
    assert line in lines(content)


def test_what_is_going_on_is_told_while_somebody_is_at_work(halfway: RunDir) -> None:
    beat = {"task": "trial 4, rung 1", "done": 3, "total": 12, "note": "loss 0.5"}
    write_json(halfway.progress, {**beat, "since": 100.0, "updated": 112.0})
    assert not any(line.startswith("now:") for line in lines(status(halfway)))
    with halfway.writing():
        said = lines(status(halfway))
    assert "now: trial 4, rung 1, 3 of 12 after 12 s, loss 0.5" in said


def test_a_status_writes_nothing(halfway: RunDir) -> None:
    before = {p: p.stat().st_mtime_ns for p in halfway.root.iterdir() if p.name != ".lock"}
    status(halfway)
    after = {p: p.stat().st_mtime_ns for p in halfway.root.iterdir() if p.name != ".lock"}
    assert after == before


def test_where_there_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run here"):
        status(RunDir(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def trial(number: int, **changed: Any) -> Trial:
    recipe = Recipe.of("soften", {"temperature": 4.0})
    return Trial(number, Candidate(Architecture.of({"width": 2}), recipe), **changed)


def test_a_trial_as_a_row() -> None:
    done = trial(3, state="complete", scores={0: (0.5, 9.0), 1: (0.75, 9.0)})
    assert row(done, ("accuracy", "macs")) == {
        "number": 3, "state": "complete", "rung": 1, "accuracy": 0.75, "cost": 9.0,
        "method": "soften", "knob.temperature": 4.0, "width": 2, "reason": "",
    }  # fmt: skip
    fresh = row(trial(4), ("accuracy", "macs"))
    assert fresh["rung"] is fresh["accuracy"] is fresh["cost"] is None


def test_further_objectives_have_columns_by_name() -> None:
    names = ("macro_f1", "latency_ms", "worst", "macs")
    found = row(trial(3, state="complete", scores={1: (0.75, 0.5, -2.0, 9.0)}), names)
    assert {name: found[name] for name in ("macro_f1", "worst", "macs", "cost")} == {
        "macro_f1": 0.75, "worst": -2.0, "macs": 9.0, "cost": 0.5,
    }  # fmt: skip
    assert found["accuracy"] is None and "latency_ms" not in found
    first = trial_table([found], further(names)).splitlines()[0].split()
    assert first == [
        "trial", "state", "rung", "accuracy", "cost", "macro_f1", "worst", "macs", "method",
        "reason",
    ]  # fmt: skip


def test_rows_as_csv_and_as_a_table() -> None:
    hard = Trial(1, Candidate(Architecture.of({"width": 4}), Recipe("hard")), reason="a, b")
    done = trial(0, state="complete", scores={1: (0.75, 1234.0)})
    rows = [row(one, ("accuracy", "macs")) for one in (done, hard)]
    first, *others = as_csv(rows).splitlines()
    assert first.split(",")[:5] == ["number", "state", "rung", "accuracy", "cost"]
    assert others[0].startswith("0,complete,1,0.75,1234.0,soften,4.0,2")
    assert others[1] == '1,running,,,,hard,,4,"a, b"'
    assert "75.0 %" in trial_table(rows) and "1234" in trial_table(rows)


def test_reasons_of_one_kind_are_counted_together() -> None:
    assert reason(trial(0, state="failed", reason="bug: KeyError: 'a'")) == "failed: bug"
    behind = "behind the front with inherited weights"
    assert reason(trial(0, state="stopped", reason=behind)) == f"stopped: {behind}"
