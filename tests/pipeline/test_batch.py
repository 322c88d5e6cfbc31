"""A batch: cells in processes of their own, what is done stays done, Ctrl-C leaves nobody."""

import csv
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kdsearch import cli
from kdsearch.core.progress import Silent
from kdsearch.errors import RunError, UserError
from kdsearch.files import read_json
from kdsearch.pipeline import side_by_side
from kdsearch.pipeline.batch import batch
from kdsearch.rundir import RunDir

FAKE = """
import json, os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
orders = json.loads((folder.parents[2] / "orders.json").read_text())
order = orders.get(folder.name, {})
with (folder / "starts").open("a") as file:
    file.write(str(os.getpid()) + "\\n")
if order.get("deaf"):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
(folder / "ready").touch()
try:
    time.sleep(order.get("sleep", 0))
except KeyboardInterrupt:
    (folder / "interrupted").touch()
    print("kdsearch: stopped; the same command goes on from here")
    sys.exit(130)
if "front" in order:
    (folder / "front.json").write_text(json.dumps(order["front"]))
    (folder / "report.html").write_text("a page")
    (folder / "ledger.json").write_text(json.dumps({"stages": {"search": 2.5}}))
print(order.get("says", "nothing to say"), file=sys.stderr, flush=True)
if order.get("kill"):
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(order.get("code", 0))
"""
THREE = "cells: [{name: a, set: {seed: 1}}, {name: b, set: {seed: 2}}, {name: c}]"


def point(name: str, accuracy: float, latency: float, **more: Any) -> dict[str, Any]:
    ci95 = [accuracy - 0.01, accuracy + 0.01]
    timed = {"p50": latency, "p95": 2 * latency, "ci95": [latency, latency], "busy": False}
    return {
        "id": name,
        "search_accuracy": accuracy,
        "search_accuracy_ci95": ci95,
        "test_accuracy": accuracy - 0.02,
        "test_accuracy_ci95": ci95,
        "params": 1000.0,
        "macs": 2000.0,
        "latency": {"onnxruntime, 1 thread, batch 1": timed | more},
    }


def front(*points: dict[str, Any]) -> dict[str, Any]:
    return {"data_hash": "abc", "hypervolume": 0.5, "points": list(points)}


GOOD = {"front": front(point("s1", 0.9, 0.1), point("s2", 0.95, 0.2))}
BETTER = {"front": front(point("s7", 0.97, 0.3))}


class Said(Silent):
    """Progress that keeps what is said, and the last note."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.note = ""

    def say(self, line: str) -> None:
        self.lines.append(line)

    def step(self, task: str, done: int, note: str = "") -> None:
        self.note = note

    def finish(self, task: str, note: str = "") -> None:
        self.note = note


class Fakes:
    """Batches of children that do as they are told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "runs" / "many"
        self.said = Said()
        (folder / "runs").mkdir()
        self.manifest(THREE)

    def manifest(self, text: str) -> None:
        (self.folder / "many.yaml").write_text(text)

    def orders(self, **orders: Mapping[str, Any]) -> None:
        (self.folder / "runs" / "orders.json").write_text(json.dumps(orders))

    def __call__(self, **orders: Mapping[str, Any]) -> dict[str, Any]:
        self.orders(**orders)
        self.said = Said()
        return batch(
            self.folder / "many.yaml",
            self.out,
            self.said,
            command=lambda folder: [sys.executable, "-ISc", FAKE, str(folder)],
        )

    def cell(self, name: str) -> Path:
        return self.out / "cells" / name

    def starts(self, name: str) -> list[int]:
        path = self.cell(name) / "starts"
        return [int(line) for line in path.read_text().split()] if path.exists() else []


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fakes:
    monkeypatch.setattr(side_by_side, "POLL_S", 0.02)
    return Fakes(tmp_path)


def states(content: Mapping[str, Any]) -> dict[str, str]:
    return {cell["name"]: cell["state"] for cell in content["cells"]}


def test_a_failed_cell_stops_no_other_and_is_listed_with_its_reason(fakes: Fakes) -> None:
    broken = {"code": 2, "says": "kdsearch: data.size: too small"}
    unmet = {"code": 3, "says": "kdsearch: no student meets the budget: params"}
    content = fakes(a=broken, b=GOOD, c=unmet)
    assert states(content) == {"a": "failed", "b": "done", "c": "unmet"}
    reasons = {cell["name"]: cell["reason"] for cell in content["cells"]}
    assert reasons["a"] == "data.size: too small"
    assert reasons["c"] == "no student meets the budget: params"
    assert "a: failed: data.size: too small" in fakes.said.lines
    assert fakes.said.note == "1 failed, 1 done, 1 unmet"
    assert read_json(fakes.out / "batch.json") == content


def test_what_is_done_stays_done_and_the_rest_is_done_again(fakes: Fakes) -> None:
    unmet = {"code": 3, "says": "kdsearch: no student meets the budget"}
    fakes(a={"code": 1}, b=GOOD, c=unmet)
    content = fakes(a=BETTER, b={"code": 1}, c={"code": 1})
    assert states(content) == {"a": "done", "b": "done", "c": "unmet"}
    assert {name: len(fakes.starts(name)) for name in "abc"} == {"a": 2, "b": 1, "c": 1}
    assert fakes.said.lines[0].startswith("batch: 3 cells, 2 done before")


def test_a_changed_cell_is_done_again_even_if_it_was_killed_before(fakes: Fakes) -> None:
    fakes(a=GOOD, b=GOOD, c=GOOD)
    fakes.manifest(THREE.replace("seed: 2", "seed: 5"))
    assert states(fakes(b={"kill": True}))["b"] == "failed"
    fakes.manifest(THREE.replace("seed: 2", "seed: 5"))
    assert states(fakes(b=BETTER))["b"] == "done"
    assert {name: len(fakes.starts(name)) for name in "abc"} == {"a": 1, "b": 3, "c": 1}


def test_how_a_child_died_is_told(fakes: Fakes) -> None:
    bug = "Traceback\nValueError: oh\nkdsearch: a bug of kdsearch; please report it"
    content = fakes(a={"kill": True}, b={"code": 1, "says": bug}, c={"code": 5, "says": "so"})
    assert [cell["reason"] for cell in content["cells"]] == [
        "killed by SIGKILL, perhaps for its memory",
        "bug: ValueError: oh",
        "ended with exit code 5: so",
    ]


def test_no_front_is_no_success(fakes: Fakes) -> None:
    content = fakes(a={"code": 0, "says": "fine"}, b=GOOD, c=GOOD)
    assert content["cells"][0]["state"] == "failed"
    assert content["cells"][0]["reason"] == "ended with exit code 0: fine"


def test_as_many_at_a_time_as_asked_for(fakes: Fakes) -> None:
    fakes.manifest(f"{THREE}\nparallel: 2")
    sleepy = {**GOOD, "sleep": 0.3}
    fakes(a=sleepy, b=sleepy, c=sleepy)
    began = [line for line in fakes.said.lines if line.endswith(("begun", "done"))]
    assert set(began[:2]) == {"a: begun", "b: begun"}
    assert began.index("c: begun") > min(began.index("a: done"), began.index("b: done"))


def test_the_best_of_each_budget_is_of_equal_images_target_and_bounds(fakes: Fakes) -> None:
    fakes.manifest("cross: {budgets: [{}, {params: 20%}]}\ncells: [{name: c, set: {seed: 1}}]")
    content = fakes(**{"base": GOOD, "params-20pct": GOOD, "c": BETTER})
    assert [(b["budget"], b["cell"], b["id"], b["of"]) for b in content["best"]] == [
        ("none", "c", "s7", 2),
        ("params <= 20%", "params-20pct", "s2", 1),
    ]
    assert content["best"][0]["next"]["cell"] == "base"
    assert content["best"][0]["test_accuracy"] == pytest.approx(0.95)
    assert content["best"][1]["next"] is None
    other = front(point("s1", 0.99, 0.1)) | {"data_hash": "others"}
    fakes.manifest("cells: [{name: c, set: {seed: 1}}, {name: d, set: {seed: 2}}]")
    content = fakes(c=GOOD, d={"front": other})
    assert {b["cell"] for b in content["best"]} == {"c", "d"}


def test_a_latency_measured_on_a_busy_machine_is_told(fakes: Fakes) -> None:
    busy = {"front": front(point("s1", 0.9, 0.1, busy=True))}
    content = fakes(a=busy, b=GOOD, c=GOOD)
    (warning,) = content["warnings"]
    assert "work on the machine: a; parallel: 1" in warning


def test_the_table_and_the_page_lie_beside_the_cells(fakes: Fakes) -> None:
    fakes(a=GOOD, b={"code": 1, "says": "kdsearch: <b>oh</b>"}, c=BETTER)
    with (fakes.out / "batch.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["student"] for row in rows] == ["s2", "", "s7"]
    assert float(rows[0]["search_accuracy_high"]) == pytest.approx(0.96)
    assert float(rows[0]["seconds"]) == 2.5
    page = (fakes.out / "index.html").read_text()
    assert 'href="cells/a/report.html"' in page and "cells/b/report.html" not in page
    assert "<b>oh</b>" not in page and "&lt;b&gt;oh" in page


def test_a_cell_that_somebody_is_at_work_on_is_waited_for(fakes: Fakes) -> None:
    run = RunDir(fakes.cell("a"))
    run.root.mkdir(parents=True)
    with run.writing():
        timer = threading.Timer(0.6, lambda: None)
        done: list[dict[str, Any]] = []
        fakes.orders(a=GOOD, b=GOOD, c=GOOD)
        worker = threading.Thread(
            target=lambda: done.append(fakes(a=GOOD, b=GOOD, c=GOOD)), daemon=True
        )
        worker.start()
        timer.start()
        timer.join()
        assert not fakes.starts("a")
    worker.join(20)
    assert states(done[0]) == {"a": "done", "b": "done", "c": "done"}
    held = "a: another process is at work on it; it is waited for"
    assert fakes.said.lines.count(held) == 1


def test_two_batches_do_not_work_in_one_folder(fakes: Fakes) -> None:
    fakes(a=GOOD, b=GOOD, c=GOOD)
    from kdsearch.pipeline.batch import writing

    with writing(fakes.out), pytest.raises(RunError, match="another `kdsearch batch` is at"):
        fakes(a=GOOD)


def test_a_batch_needs_at_least_one_at_a_time(fakes: Fakes) -> None:
    with pytest.raises(UserError, match="--parallel 0: needs at least 1"):
        batch(fakes.folder / "many.yaml", fakes.out, Silent(), parallel=0)


def test_nothing_runs_where_a_cell_is_wrong(fakes: Fakes) -> None:
    fakes.manifest("cells: [{name: a}, {name: b, set: {seed: -1}}]")
    with pytest.raises(UserError, match=r"many\.yaml:1:\d+: seed = -1: must be at least 0"):
        fakes(a=GOOD)
    assert not fakes.out.exists()


# Being stopped.


@pytest.fixture
def signals() -> Iterator[None]:
    """Ctrl-C as a terminal has it, also where these tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def soon(number: int, when: Callable[[], bool]) -> None:
    """Sends this process a signal as soon as `when`."""

    def wait() -> None:
        deadline = time.monotonic() + 20
        while not when() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    threading.Thread(target=wait, daemon=True).start()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_children_are_asked_to_stop_and_the_same_command_goes_on(
    fakes: Fakes, signals: None, number: int
) -> None:
    ready = fakes.cell("b") / "ready"
    soon(number, ready.exists)
    with pytest.raises(KeyboardInterrupt):
        fakes(a=GOOD, b={"sleep": 60}, c=GOOD)
    assert (fakes.cell("b") / "interrupted").exists()
    assert not is_alive(fakes.starts("b")[0])
    content = read_json(fakes.out / "batch.json")
    assert states(content) == {"a": "done", "b": "stopped", "c": "waiting"}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert states(fakes(a=GOOD, b=GOOD, c=GOOD)) == {"a": "done", "b": "done", "c": "done"}
    assert {name: len(fakes.starts(name)) for name in "abc"} == {"a": 1, "b": 2, "c": 1}


def test_a_second_ctrl_c_kills(fakes: Fakes, signals: None) -> None:
    ready = fakes.cell("a") / "ready"
    soon(signal.SIGINT, ready.exists)
    soon(signal.SIGINT, lambda: any(line.startswith("stopping") for line in fakes.said.lines))
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fakes(a={"sleep": 60, "deaf": True})
    assert time.monotonic() - began < 30
    assert not is_alive(fakes.starts("a")[0])
    assert states(read_json(fakes.out / "batch.json"))["a"] == "stopped"


def test_a_child_that_does_not_stop_is_killed_after_a_while(
    fakes: Fakes, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side_by_side, "PATIENCE_S", 0.2)
    soon(signal.SIGINT, (fakes.cell("a") / "ready").exists)
    with pytest.raises(KeyboardInterrupt):
        fakes(a={"sleep": 60, "deaf": True})
    assert not is_alive(fakes.starts("a")[0])


# A real one.


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(600)
def test_two_cells_build_their_teacher_and_supernet_once(
    tiny: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = tiny(store=None, search={"trials": 4}, finalists={"count": 2})
    cross = {"budgets": [{}, {"params": "90%"}]}
    path, out = tmp_path / "many.yaml", tmp_path / "runs" / "many"
    path.write_text(json.dumps({"base": base, "cross": cross, "parallel": 2}))
    words = ["batch", str(path), "--out", str(out), "--json"]
    assert cli.main(words) == 0
    content = json.loads(capsys.readouterr().out)
    assert states(content) == {"base": "done", "params-90pct": "done"}
    store = tmp_path / "runs" / "store"
    for stage in ("data", "teacher", "supernet"):
        assert len([p for p in (store / stage).iterdir() if p.is_dir()]) == 1, stage
    for cell in content["cells"]:
        published = read_json(out / cell["folder"] / "front.json")
        assert cell["students"] == len(published["points"]) > 0
        assert cell["best"]["id"] in {p["id"] for p in published["points"]}
        assert cell["seconds"] > 0
    began = {p: p.stat().st_mtime_ns for p in out.glob("cells/*/log.txt")}
    assert cli.main(words[:-1]) == 0
    assert began == {p: p.stat().st_mtime_ns for p in out.glob("cells/*/log.txt")}
    assert capsys.readouterr().out.splitlines()[-1] == f"page: {out / 'index.html'}"


def test_cells_are_listed_without_running(
    fakes: Fakes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(fakes.folder / "many.yaml")
    assert cli.main(["batch", path, "--out", str(fakes.out), "--list"]) == 0
    assert capsys.readouterr().out.splitlines()[2].split() == ["a", "1", "1", "1"]
    assert not fakes.out.exists()


def test_a_run_and_a_batch_are_not_mixed_in_one_folder(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "one")
    run.root.mkdir()
    run.config.write_text("seed: 0\n")
    (tmp_path / "batch.yaml").write_text(THREE)
    with pytest.raises(RunError) as caught:
        batch(tmp_path / "batch.yaml", run.root, Silent())
    assert str(caught.value) == f"{run.root}: a run, no place for a batch; name another --out"
    assert [path.name for path in run.root.iterdir()] == ["config.yaml"]
