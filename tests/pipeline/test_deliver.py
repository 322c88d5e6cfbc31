"""From a budget to checked files: who is delivered, what is trained, what is measured again."""

import errno
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kdsearch.core.objectives import known_on
from kdsearch.core.progress import Noting, Silent
from kdsearch.errors import BudgetError, UserError
from kdsearch.export.handover import DELIVERY
from kdsearch.files import read_json, write_json
from kdsearch.measure.book import here
from kdsearch.measure.latency import Latency, Target
from kdsearch.measure.profile import FromProfile
from kdsearch.pipeline import deliver as delivering
from kdsearch.pipeline.api import Run
from kdsearch.pipeline.candidates import all_trials
from kdsearch.pipeline.deliver import Order, deliver, late
from kdsearch.pipeline.deliver_words import words
from kdsearch.pipeline.evidence import evidence
from kdsearch.pipeline.query import asked, on_run, read_bounds
from kdsearch.rundir import RunDir

SAFE = ("safetensors",)
FURTHER = tuple(known_on(["server", "phone"]).values())
EASY = ("latency_ms=100000%", "params=100%")


def check_files(folder: Path) -> None:
    """What the card says lies there, byte for byte."""
    files = read_json(folder / "card.json")["files"]
    assert "model.safetensors" in files
    for name, known in files.items():
        assert sha256((folder / name).read_bytes()).hexdigest() == known["sha256"]


def order(run: RunDir, to: Path, upper: Sequence[str] = EASY, **more: Any) -> Order:
    return Order(on_run(run, upper, []), to, SAFE, **more)


def untrained(run: RunDir) -> dict[str, Any]:
    """A trial that is not on the front."""
    points = all_trials(run, read_json(run.front), {})["points"]
    found: dict[str, Any] = next(p for p in points if not p.get("trained", True))
    return found


def openings(run: RunDir) -> int:
    """How often the test images were opened to score students, and not to check files."""
    purposes = (json.loads(line)["purpose"] for line in open_lines(run))
    return sum(purpose.startswith("score of") for purpose in purposes)


def open_lines(run: RunDir) -> list[str]:
    return run.test_openings.read_text(encoding="utf-8").splitlines()


def test_the_best_of_the_front_is_measured_again_and_handed_over(
    copied: RunDir, tmp_path: Path
) -> None:
    best = max(read_json(copied.front)["points"], key=lambda p: p["search_accuracy"])
    opened, told = openings(copied), Noting(Silent())
    for _ in range(2):  # the second time, too
        content = deliver(copied, order(copied, tmp_path / "out"), told)
        assert content["student"] == best["id"]
        (facts,) = content["latency"].values()
        row = content["bounds"]["latency_ms <= 100000%"]
        assert (row["value"], row["ci95"]) == (facts["p50"], tuple(facts["ci95"]))
        assert row["value"] != best["latency"][next(iter(best["latency"]))]["p50"]
        check_files(tmp_path / "out")
        kept = read_json(tmp_path / "out" / DELIVERY)
        assert (kept["student"], kept["latency"]) == (best["id"], content["latency"])
    assert [d["student"] for d in read_json(copied.delivered)["deliveries"]] == [best["id"]] * 2
    assert openings(copied) == opened, "it was scored before"
    assert not any("trained to the end" in line for line in told.lines)


@pytest.mark.slow
def test_a_stopped_trial_is_trained_to_the_end_once(
    copied: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point, before = untrained(copied), copied.front.read_bytes()
    opened = openings(copied)
    monkeypatch.setattr(delivering, "candidates", lambda desk: iter([point]))

    def cut_off(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:  # after the training, before anything is kept
        cut.setattr(delivering, "publish", cut_off)
        with pytest.raises(KeyboardInterrupt):
            deliver(copied, order(copied, tmp_path / "out"), Silent())
    (result,) = (copied.root / "trials" / f"{point['trial']:04d}").glob("rung2.json")
    trained = result.stat().st_mtime_ns
    content = deliver(copied, order(copied, tmp_path / "out"), Silent())
    assert content["student"] == point["id"]
    assert result.stat().st_mtime_ns == trained, "it goes on where it was cut off"
    assert openings(copied) == opened + 1
    assert copied.front.read_bytes() == before, "the front is what the search published"
    (row,) = read_json(copied.delivered)["students"]
    assert row["id"] == point["id"] and row["rung"] == 2 and 0 <= row["test_accuracy"] <= 1
    check_files(tmp_path / "out")

    monkeypatch.undo()  # from now on it is a student like any other
    ids = {one.student["id"] for one in asked(copied, [], []).choices}
    assert point["id"] in ids
    bound = f"macs={row['macs']}"
    again = asked(copied, [bound], [f"accuracy={row['search_accuracy']}"])
    assert row["id"] in {one.student["id"] for one in again.choices}
    assert openings(copied) == opened + 1


def test_students_trained_already_are_tried_however_many_are_not(
    copied: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = read_json(copied.front)
    better = [
        {**front["points"][0], "id": f"s9{n}", "search_accuracy": 1 + n, "trained": False}
        for n in range(5)
    ]
    whole = {**front, "points": [*front["points"], *better]}
    monkeypatch.setattr(delivering, "measured_trials", lambda desk: whole)
    asking = order(copied, tmp_path / "out", [], among="trials")
    desk: Any = SimpleNamespace(context=SimpleNamespace(run=copied), order=asking)
    ids = [point["id"] for point in delivering.candidates(desk)]
    assert ids[:3] == ["s94", "s93", "s92"], "so many trainings and no more"
    assert sorted(ids[3:]) == sorted(point["id"] for point in front["points"])


@pytest.mark.parametrize("why", ["over the budget", "failed", "lost"])
def test_a_trial_that_fell_out_is_not_trained_again(
    why: str, copied: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless its worker was lost, which says nothing of the trial."""

    def over(*_: Any) -> None:
        raise BudgetError("no student meets the budget")

    point = untrained(copied)
    monkeypatch.setattr(delivering, "candidates", lambda desk: iter([point]))
    monkeypatch.setattr(delivering, "execute", lambda *_: None)
    done = why == "over the budget"
    monkeypatch.setattr(delivering, "taught", lambda context, found, them: them if done else [])
    monkeypatch.setattr(delivering, "stored_result", lambda job: why == "failed")
    monkeypatch.setattr(delivering, "publish", over)
    with pytest.raises(BudgetError, match="no student could be trained to the end"):
        deliver(copied, order(copied, tmp_path / "out"), Silent())
    left = {p["trial"] for p in all_trials(copied, read_json(copied.front), {})["points"]}
    assert (point["trial"] in left) is (why == "lost")


def test_who_is_slower_when_measured_again_is_passed_over(
    copied: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranked = [one.student for one in asked(copied, [], []).choices]
    told = Noting(Silent())

    def slow(desk: Any, row: Any) -> dict[str, Any]:
        ms = 1e9 if row["id"] in late else 1e-3
        return {"here": {"p50": ms, "p95": ms, "ci95": [ms, ms], "busy": True}}

    monkeypatch.setattr(delivering, "measured_again", slow)
    late = {ranked[0]["id"]}
    asking = order(copied, tmp_path / "out", ["latency_ms=5000"])
    content = deliver(copied, asking, told)
    assert content["student"] == ranked[1]["id"]
    (line,) = [line for line in told.lines if "the next best is tried" in line]
    assert line.startswith(f"{ranked[0]['id']}: latency_ms may be ")
    assert "when measured again, on a busy machine" in line

    late = {point["id"] for point in ranked}
    asking = order(copied, tmp_path / "none", ["latency_ms=5000"], among="front")
    with pytest.raises(BudgetError, match="when it is measured again; nearest is s") as caught:
        deliver(copied, asking, Silent())
    assert caught.value.exit_code == 3
    assert caught.value.facts["tried"] == [point["id"] for point in ranked]
    assert not (tmp_path / "none").exists()


def test_what_a_profile_says_is_neither_measured_nor_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On 'phone' one student was measured there, the other is predicted."""
    profile: Any = None
    books = {
        name: SimpleNamespace(measure=how, target=Target(name, "eager"), device={"device": ""})
        for name, how in (("server", here), ("phone", FromProfile(profile, profile)))
    }
    known = {"p50": 4.0, "p95": 5.0, "ci95": [3.9, 4.1]}
    row = {"id": "s001", "architecture": {"width": 8}, "latency": {"server": known}}
    front = {"points": [row], "space": {"largest": {}}}
    ground: Any = SimpleNamespace(books=SimpleNamespace(by_target=books))
    bounds = read_bounds(["latency_ms=9", "latency_ms=4.05@phone"], [], FURTHER)
    context: Any = SimpleNamespace(run=RunDir(tmp_path))
    desk = delivering.Desk(context, ground, front, Order(bounds, tmp_path))
    monkeypatch.setattr(delivering, "again", lambda *_: Latency(2.0, 3.0, (1.9, 2.1), 4))
    monkeypatch.setattr(delivering.students, "network", lambda *_: None)
    for predicted in ({}, {"predicted": True}):
        row["latency"] = {"server": known, "phone": known | predicted}
        found = delivering.measured_again(desk, row)
        assert list(found) == ["server", "phone"]
        assert found["server"]["p50"] == 2.0 and found["phone"] == known | predicted
        assert evidence({"latency": found})["latency_ms@phone"].is_predicted is bool(predicted)
        assert not late(desk, row, evidence({"latency": found})), "4.1 ms were not measured now"


def test_what_no_student_keeps_is_refused_before_anything_is_done(
    copied: RunDir, tmp_path: Path
) -> None:
    for among in (None, "front", "trials"):
        asking = order(copied, tmp_path / "out", ["macs=1"], among=among)
        with pytest.raises(BudgetError, match="no student keeps macs <= 1; nearest is s"):
            deliver(copied, asking, Silent())
    assert not (tmp_path / "out").exists() and not copied.delivered.exists()
    with pytest.raises(UserError, match="safetensor"):
        deliver(copied, Order((), tmp_path / "out", ("safetensor",)), Silent())


def test_what_can_refuse_an_order_is_looked_at_first(
    copied: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is opened, trained or measured before."""
    opened: list[Any] = []
    monkeypatch.setattr(delivering, "open_context", lambda *_: opened.append(1))

    def refusal(*rest: Any, to: str = "out") -> str:
        with pytest.raises(UserError) as caught:
            deliver(copied, Order((), tmp_path / to, *rest), Silent())
        (line,) = str(caught.value).splitlines()
        return line

    (tmp_path / "file").touch()
    assert "file: cannot be a folder (a file is there)" in refusal(to="file")
    assert "mit, apache-2.0" in refusal(SAFE, None, False, "no licence!")
    with monkeypatch.context() as patch:
        patch.setattr("kdsearch.export.extras.find_spec", lambda name: None)
        assert refusal(("openvino",)).startswith("openvino needs openvino: pip install")
    with monkeypatch.context() as patch:
        patch.setattr("kdsearch.export.python.PLAIN", {})
        assert refusal(("python",)).startswith("python: resnet is written out by nobody")
    with monkeypatch.context() as patch:

        def denied(**_: Any) -> str:
            raise PermissionError(errno.EACCES, "Permission denied")

        patch.setattr("kdsearch.files.tempfile.mkdtemp", denied)
        assert "cannot be written (Permission denied); make it writable" in refusal(SAFE)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "README.md").write_text("mine")
    assert "README.md: is there, and no card.json" in refusal(SAFE, to="notes")
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "card.json").write_text("{}")
    assert "card.json: is there, and no card.json" in refusal(SAFE, to="cards")
    assert "is a run's folder; name another one" in refusal(SAFE, to=str(copied.root))
    assert not opened


def test_targets_that_the_front_was_not_measured_on(copied: RunDir, tmp_path: Path) -> None:
    front = read_json(copied.front)
    (name,) = front["points"][0]["latency"]
    for point in front["points"]:
        point["latency"] = {"edge": point["latency"][name], name: point["latency"][name]}
    write_json(copied.front, front)
    with pytest.raises(
        UserError, match="those of its front 'edge', .* run `kdsearch run .*first"
    ):
        deliver(copied, Order((), tmp_path / "out"), Silent())


def test_the_api_delivers(copied: RunDir, tmp_path: Path) -> None:
    run = Run(copied)
    content = run.deliver(
        tmp_path / "out", formats=SAFE, licence="mit", params="100%", min_accuracy=0.01
    )
    assert content["card"]["licence"] == "mit"
    assert content["student"] == run.query(params="100%", min_accuracy=0.01)
    assert content["latency"] == {}, "no bound asks for it"
    lines = list(words(content))
    assert lines[0].startswith(f"{content['student']} delivered to {tmp_path / 'out'}: ")
    assert lines[1].startswith("  params <= 100%: ") and "holds" not in lines[1]
    assert lines[2].startswith("  accuracy >= 0.01: ") and "holds with" in lines[2]
    check_files(tmp_path / "out")
