"""Targets of a finished run: added, renamed, taken out; nothing trained, no test split."""

from typing import Any

import pytest

from kdsearch.core.progress import Silent
from kdsearch.files import read_json, write_json
from kdsearch.pipeline.front import front_table
from kdsearch.pipeline.retime import SAME, measured_rather
from kdsearch.pipeline.status import lines, status
from kdsearch.pipeline.trials import further_columns, recorded, trial_rows
from kdsearch.rundir import RunDir

ALONE = "onnxruntime, 1 thread, batch 1"
SERVER = {"name": "server", "rounds": 4}
EDGE = {"name": "edge", "runtime": "eager", "rounds": 2}


class Said(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def nothing_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is the test split opened."""

    def refused(*given: Any, **more: Any) -> Any:
        raise AssertionError("a training, or the test split")

    monkeypatch.setattr("kdsearch.training.fit.train_step", refused)
    monkeypatch.setattr("kdsearch.pipeline.tested.open_test", refused)


def of_older_version(run: RunDir) -> None:
    """What a front, cards and facts lacked before there were several targets."""
    front = read_json(run.front)
    del front["targets"]
    for point in front["points"]:
        del point["costs"]["latency_p99_ms"]
        for timed in point["latency"].values():
            for name in ("p99", "p95_ci95", "p99_ci95", "drift", "layout", "size"):
                del timed[name]
    write_json(run.front, front)
    facts = run.facts()
    del facts["front_targets"]
    write_json(run.state, facts)


@pytest.mark.parametrize("older", [False, True])
def test_a_target_added_to_a_finished_run_is_a_column_of_its_front(
    copied: RunDir, tiny: Any, go: Any, nothing_is_trained: None, older: bool
) -> None:
    if older:
        of_older_version(copied)
    before, said = read_json(copied.front), Said()
    config = tiny(latency=[SERVER, EDGE])
    go(config, copied.root, said)
    after = read_json(copied.front)
    assert f"targets: {len(after['points'])} students timed on edge; nothing was trained" in (
        said.lines
    )
    for old, new in zip(before["points"], after["points"], strict=True):
        assert list(new["latency"]) == ["server", "edge"]
        assert new["latency"]["server"] == old["latency"][ALONE], "as it was published"
        assert new["latency"]["edge"]["runtime"] == "eager"
        assert new["costs"]["latency_ms"] == old["costs"]["latency_ms"]
        assert new["costs"]["latency_p99_ms@edge"] == new["latency"]["edge"]["p99"]
        others = {"latency", "costs"}
        assert {n: v for n, v in new.items() if n not in others} == {
            n: v for n, v in old.items() if n not in others
        }
        card = read_json(copied.student(new["id"]) / "card.json")
        assert (card["latency"], card["costs"]) == (new["latency"], new["costs"])
    assert list(after["targets"]) == ["server", "edge"]
    assert after["space"]["largest"]["latency_ms@edge"] > 0
    assert after["hypervolume"] == before["hypervolume"]
    assert "latency p50 @edge" in front_table(after)
    scored = {
        trial.candidate.architecture.id
        for trial in recorded(copied, copied.facts()["study"])
        if 0 in trial.scores
    }
    there = {path.stem for path in (copied.root / "latencies" / "edge").glob("*.json")}
    assert scored <= there, "what was scored with inherited weights is timed there, too"
    rows = trial_rows(copied)
    assert all(0 < r["latency_ms@edge"] < 10_000 for r in rows if r["rung"] is not None)
    assert further_columns(rows, ["accuracy", "macs"]) == ["latency_ms@edge"]
    words = "\n".join(lines(status(copied)))
    assert "target server: onnxruntime on " in words and "target edge: eager on " in words

    said = Said()
    go(config, copied.root, said)
    assert said.lines[-1] == "everything was done before; nothing was done again"
    assert read_json(copied.front) == after

    go(tiny(latency=[SERVER]), copied.root)
    alone = read_json(copied.front)
    assert [list(p["latency"]) for p in alone["points"]] == [["server"]] * len(alone["points"])
    assert not any("@" in name for p in alone["points"] for name in p["costs"])
    assert list((copied.root / "latencies").iterdir()) == []


def test_latencies_brought_from_a_device_stay_whatever_the_targets_become(
    copied: RunDir, tiny: Any, go: Any, nothing_is_trained: None
) -> None:
    """And what predictors said before goes."""
    front = read_json(copied.front)
    board = {"device": "board", "runtime": "onnxruntime"}
    told = {"gone": {"bias_on_front": {"ratio": None, "ci95": None}}}
    front |= {"predictor": told, "targets": {**front["targets"], "board": board}}
    for point in front["points"]:
        point["latency"]["board"] = {**point["latency"][ALONE], "p50": 7.0, "device": "board"}
        point["predicted_latency"] = {"gone": {"p50": 1.0, "interval90": [0.9, 1.1]}}
    write_json(copied.front, front)
    go(tiny(latency=[SERVER]), copied.root, until="finalists")
    after = read_json(copied.front)
    assert list(after["targets"]) == ["server", "board"] and "predictor" not in after
    for point in after["points"]:
        assert list(point["latency"]) == ["server", "board"]
        assert point["costs"]["latency_ms@board"] == 7.0
        assert "predicted_latency" not in point


def test_a_profile_s_prediction_takes_no_measurement_s_place() -> None:
    said = {"p50": 1.0, **dict.fromkeys(SAME, "x"), "predicted": True}
    held = {"p50": 2.0, **dict.fromkeys(SAME, "x")}
    assert measured_rather(said, held) == held
    assert measured_rather(said, None) == said
    assert measured_rather(said, {**held, "predicted": True}) == said
    assert measured_rather(said, {**held, "device": "another"}) == said
    assert measured_rather({**held, "p50": 3.0}, held)["p50"] == 3.0


def test_a_student_whose_card_is_gone_is_not_called_kept(
    copied: RunDir, tiny: Any, go: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is published anew, and tested: what it scored is not known any more."""
    openings = len(copied.test_openings.read_text().splitlines())
    first = read_json(copied.front)["points"][0]["id"]
    (copied.student(first) / "card.json").unlink()
    go(tiny(), copied.root, until="finalists")
    lines = copied.test_openings.read_text().splitlines()
    assert len(lines) == openings + 1 and "score of 1 published students" in lines[-1]
