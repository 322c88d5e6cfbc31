"""What a run is doing, from its files alone."""

import json
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kdsearch.core.ladder import is_audited
from kdsearch.core.objectives import KNOWN
from kdsearch.core.records import Architecture, Candidate, Recipe, Result
from kdsearch.core.space import Choice, Space
from kdsearch.errors import RunError
from kdsearch.files import write_json
from kdsearch.pipeline.status import lines, reason, status
from kdsearch.pipeline.trials import as_csv, further, row, trial_table, trials
from kdsearch.rundir import RunDir
from kdsearch.search.pool import Pool
from kdsearch.search.study.journal import Study
from kdsearch.search.study.mirror import Question
from kdsearch.search.study.proposer import Proposer
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
    objectives = (KNOWN["accuracy"], KNOWN["latency_ms"])
    study = Study(run.journal("abc"), objectives)
    proposer = Proposer(study, Question(POOL, objectives, "random", 40), [], seed=0)
    for outcome in [*OUTCOMES, None]:
        proposed = proposer.propose(0, None)
        assert proposed is not None
        if outcome:
            study.note(replace(proposed, **outcome))
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
    assert "trials: 1 complete, 2 failed, 1 stopped, 1 to go on with" in said
    with halfway.writing():
        assert "trials: 1 complete, 2 failed, 1 stopped, 1 running" in lines(status(halfway))
    assert "  2 × failed: diverged" in said
    assert "  trial 1 failed: diverged: loss is nan at step 3" in said


# How the search stands.


def under_way(run: RunDir, **search: Any) -> dict[str, Any]:
    """Status while somebody works on a search with these limits, begun 100 s ago."""
    run.config.write_text(f"search: {json.dumps(search)}\n")
    beat = {"task": "trial 4, rung 1", "done": 3, "total": 12, "note": "", "first": 1}
    around = [{"task": "search", "done": 4, "first": 0, "since": time.time() - 100}]
    now = time.time()
    noted = {"seconds": 95.0, "until": now - 5}
    write_json(run.ledger, {"stages": {"search": 95.0}, "studies": {"abc": noted}})
    write_json(run.progress, {**beat, "since": now, "updated": now, "around": around})
    with run.writing():
        found: dict[str, Any] = status(run)["search"]
    return found


def rung_file(run: RunDir, trial: int, rung: int, seconds: float) -> None:
    path = run.trials("abc") / f"{trial:04d}" / f"rung{rung}.json"
    done = Result(f"trial {trial}, rung {rung}", rung, "done", accuracy=0.5, seconds=seconds)
    write_json(path, done.as_dict())


def test_how_far_trials_came_and_the_front_so_far(halfway: RunDir) -> None:
    search = under_way(halfway)
    assert search["rungs"] == {"0": 4, "1": 1}
    end = {"trial": 0, "accuracy": 0.625, "latency_ms": 3.0}
    assert search["front"] == {"rung": 1, "size": 1, "ends": {"cheapest": end, "best": end}}
    told = lines(status(halfway))
    assert "  trials with a score: 4 at rung 0, 1 at rung 1" in told
    line = "front so far, at rung 1: 1 student, trial 0 (accuracy 62.5 %, latency p50 3 ms)"
    assert f"  {line}" in told


def test_the_rate_is_this_sittings_and_the_end_follows(halfway: RunDir) -> None:
    """Four trials in 100 s, 40 planned: 900 s more."""
    search = under_way(halfway, trials=40)
    assert search["over"] == 4
    assert search["per_hour"] == pytest.approx(144, rel=0.02)
    assert search["left_seconds"] == pytest.approx(900, rel=0.02)
    assert (search["nearest"], search["ended_by"]) == ("search.trials", None)
    assert time.time() + 850 < datetime.fromisoformat(search["ends"]).timestamp()


def test_without_a_sitting_the_rate_is_that_of_the_ledger(halfway: RunDir) -> None:
    assert status(halfway)["search"]["per_hour"] is None, "nothing is known of its seconds"
    noted = {"seconds": 200.0, "until": time.time() - 1000}
    write_json(halfway.ledger, {"stages": {"search": 900.0}, "studies": {"abc": noted}})
    search = status(halfway)["search"]
    assert search["per_hour"] == pytest.approx(4 / 200 * 3600)
    assert search["left_seconds"] == pytest.approx(36 * 50) and search["ends"] is None


@pytest.mark.parametrize(
    ("limits", "nearest", "left"),
    [
        ({"trials": 40, "seconds": 160}, "search.seconds", 60),
        ({"trials": 5, "seconds": 160}, "search.trials", 25),
        ({"trials": 40, "device_seconds": 24.0}, "search.device_seconds", 100),
        ({"trials": 40, "device_seconds": 600.0}, "search.trials", 900),
    ],
)
def test_the_limit_that_is_reached_first(
    halfway: RunDir, limits: dict[str, Any], nearest: str, left: float
) -> None:
    """12 device-seconds at rung 1 in four trials; the finalists' rung 2 does not count."""
    rung_file(halfway, 0, 1, 12.0)
    rung_file(halfway, 0, 2, 500.0)
    search = under_way(halfway, **limits)
    assert search["nearest"] == nearest
    assert search["left_seconds"] == pytest.approx(left, rel=0.03)
    assert search["device_seconds"] == {"1": 12.0, "2": 500.0}


def test_patience_may_be_nearest_but_ends_nothing_for_sure(tmp_path: Path) -> None:
    found = tmp_path / "run"
    run = begun(found, patience=3, trials=400)
    worse = [(0.5, 5.0 + k) for k in range(2)]
    told(run, [(0.9, 1.0), *worse], state="complete")
    write_json(run.ledger, {"stages": {}, "studies": {"abc": {"seconds": 30.0, "until": 0}}})
    search = status(run)["search"]
    (patience,) = [u for u in search["limits"] if u["limit"] == "search.patience"]
    assert (patience["used"], patience["of"]) == (2, 3)
    assert search["nearest"] == "search.patience"
    assert search["left_seconds"] == pytest.approx(397 * 10)


def test_what_ended_a_search_is_said(tmp_path: Path) -> None:
    run = begun(tmp_path / "run", trials=3)
    told(run, [(0.9, 1.0), (0.8, 0.5), (0.7, 0.2)], state="complete")
    search = status(run)["search"]
    assert (search["ended_by"], search["nearest"]) == ("search.trials: 3", None)
    assert any(line.endswith("; ended by search.trials: 3") for line in lines(status(run)))


WHY = "search.seconds: 0.5 s are over"


@pytest.mark.parametrize(
    ("ended", "search", "says"),
    [
        ({}, {"seconds": 0.5}, WHY),
        ({"why": ""}, {"seconds": 0.5}, "search.trials: 3"),
        ({"study": "before"}, {"seconds": 0.5}, "search.trials: 3"),
        ({}, {"seconds": 60}, "search.trials: 3"),  # changed since
    ],
)
def test_the_limit_that_the_search_noted_is_what_ended_it(
    ended: dict[str, Any], search: dict[str, Any], says: str, tmp_path: Path
) -> None:
    run = begun(tmp_path / "run", trials=3, **search)
    told(run, [(0.9, 1.0), (0.8, 0.5), (0.7, 0.2)], state="complete")
    run.note(ended={"study": "abc", "why": WHY, "limits": {"seconds": 0.5}} | ended)
    assert status(run)["search"]["ended_by"] == says


def test_a_limit_that_ended_it_is_told_also_where_it_is_not_used_up(tmp_path: Path) -> None:
    """Nothing of its seconds is in the ledger."""
    run = begun(tmp_path / "run", trials=40, seconds=0.5)
    told(run, [(0.9, 1.0)], state="complete")
    run.note(ended={"study": "abc", "why": WHY, "limits": {"seconds": 0.5}})
    search = status(run)["search"]
    assert (search["ended_by"], search["nearest"], search["left_seconds"]) == (WHY, None, None)
    assert f"search: 1 trial over; ended by {WHY}" in lines(status(run))


def test_a_search_with_more_trials_than_are_asked_for_now(tmp_path: Path) -> None:
    run = begun(tmp_path / "run", trials=2)
    told(run, [(0.9, 1.0), (0.8, 0.5), (0.7, 0.2)], state="complete")
    content = status(run)
    assert (content["search"]["ended_by"], content["search"]["nearest"]) == (None, None)
    assert "search: 3 trials, search.trials: 2" in lines(content)


def test_why_the_last_run_ended(halfway: RunDir) -> None:
    halfway.note(error="half of the jobs failed")
    said = "the last run ended: half of the jobs failed"
    assert said in lines(status(halfway))
    with halfway.writing():
        assert said not in lines(status(halfway))


def test_a_page_of_an_unfinished_run_is_not_the_stages(halfway: RunDir) -> None:
    halfway.report.write_text("page")
    assert status(halfway)["stages"]["report"] == "not yet"
    write_json(halfway.front, {"points": []})
    assert status(halfway)["stages"]["report"] == "done"


def test_in_the_folder_of_a_batch(tmp_path: Path) -> None:
    """A run there would be lost among its cells."""
    run = RunDir(tmp_path / "two")
    (run.root / "cells").mkdir(parents=True)
    line = f"{run.root}: a batch; its runs are in {run.root / 'cells'}"
    for verb in (lambda: status(run), lambda: run.read(run.front), run.writing().__enter__):
        with pytest.raises(RunError) as caught:
            verb()
        assert str(caught.value) == line


def test_a_grid_ends_with_the_last_student(tmp_path: Path) -> None:
    run = begun(tmp_path / "run", trials=99, sampler="grid")
    run.note(study_key={"space": {"axes": {"width": [2, 4, 8]}}})
    told(run, [(0.9, 1.0), (0.8, 0.5), (0.7, 0.2)], state="complete")
    assert status(run)["search"]["ended_by"] == "every student of the space was tried"


@pytest.mark.parametrize(
    ("turned", "says"),
    [(False, "they rank alike, the lower"), (True, "the lower one says nothing of the next")],
)
def test_how_far_the_rungs_agree_in_plain_words(
    tmp_path: Path, turned: bool, says: str
) -> None:
    """Over the audited trials, which are those of the run's seed."""
    run = begun(tmp_path / "run", trials=400)
    audited = [n for n in range(200) if is_audited(0, n)][:9]
    scores = {n: 0.5 + k / 100 for k, n in enumerate(audited)}
    later = {n: (1.0 - s if turned else s) for n, s in scores.items()}
    study, proposer = opened(run)
    for number in range(max(audited) + 1):
        proposed = proposer.propose(0, None)
        assert proposed is not None
        both = {0: (scores.get(number, 0.1), 1.0), 1: (later.get(number, 0.1), 1.0)}
        study.note(replace(proposed, state="complete", scores=both))
    (agreement,) = status(run)["search"]["agreement"]
    assert (agreement["rung"], agreement["trials"]) == (0, 9)
    assert agreement["tau"] == pytest.approx(-1 if turned else 1)
    assert agreement["says"].startswith(says)
    line = f"  rungs 0 and 1: tau {agreement['tau']:.2f} over 9 audited trials, {says}"
    assert any(each.startswith(line) for each in lines(status(run)))


def test_too_few_audited_trials_are_said_to_be_too_few(halfway: RunDir) -> None:
    (agreement,) = under_way(halfway)["agreement"]
    assert agreement["tau"] is None
    assert agreement["says"].startswith("not known yet, ")
    assert under_way(halfway, audit=False)["agreement"] == []


def test_a_config_of_another_version_leaves_the_rest_of_the_status(halfway: RunDir) -> None:
    halfway.config.write_text("serach: {}\n")
    content = status(halfway)
    assert content["search"] == {} and content["trials"]["complete"] == 1
    assert lines(content)


def begun(root: Path, **search: Any) -> RunDir:
    """A run whose search has begun, without a trial."""
    run = RunDir(root)
    run.root.mkdir()
    run.config.write_text(f"search: {json.dumps(search)}\n")
    run.note(study="abc")
    return run


def opened(run: RunDir) -> tuple[Study, Proposer]:
    objectives = (KNOWN["accuracy"], KNOWN["latency_ms"])
    study = Study(run.journal("abc"), objectives)
    return study, Proposer(study, Question(POOL, objectives, "random", 40), [], seed=0)


def told(run: RunDir, scores: list[tuple[float, float]], state: Any) -> None:
    study, proposer = opened(run)
    for values in scores:
        proposed = proposer.propose(0, None)
        assert proposed is not None
        study.note(replace(proposed, state=state, scores={1: values}))


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
