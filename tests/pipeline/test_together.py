"""Several processes train teacher and supernet: whoever starts them, it is the same run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from kdsearch.core.progress import Silent
from kdsearch.errors import TeacherError, TrainingError, UserError
from kdsearch.files import read_json, write_json
from kdsearch.pipeline import together
from kdsearch.pipeline.heartbeat import Beat
from kdsearch.pipeline.team import called, follows
from kdsearch.pipeline.together import FAILURE, Order, echoed, noted, taking_part
from kdsearch.rundir import RunDir
from kdsearch.stopping import SIGNALS

pytestmark = pytest.mark.timeout(600)
slow, long = pytest.mark.slow, pytest.mark.long

Tiny = Callable[..., dict[str, Any]]
Go = Callable[..., RunDir]

CHANGED: dict[str, Any] = {
    "data": {"augment": "shift", "limit": 300},
    "teacher": {"epochs": 2, "batch_size": 64},
    "supernet": {"epochs": 4, "batch_size": 64, "rollbacks": 1},
    "processes": 2,
}
"""With roll-backs checkpoints lie at fixed steps, so that a killed run does not start anew."""
RESULTS = ("teacher/teacher.safetensors", "supernet/supernet.safetensors")


def contents(run: RunDir) -> list[bytes]:
    return [(run.root / name).read_bytes() for name in RESULTS]


def wrote(config: dict[str, Any], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.yaml"
    path.write_text(json.dumps(config))
    return path


@pytest.fixture(scope="module")
def config(tiny: Tiny) -> Callable[[Path], dict[str, Any]]:
    """A store of its own, so that nothing is there yet."""
    return lambda folder: tiny(**CHANGED, store=str(folder / "store"))


@pytest.fixture(scope="module")
def started_here(
    config: Callable[[Path], dict[str, Any]],
    go: Go,
    tmp_path_factory: pytest.TempPathFactory,
) -> RunDir:
    folder = tmp_path_factory.mktemp("here")
    return go(config(folder), folder / "run", until="supernet")


@slow
def test_processes_started_here_leave_what_a_run_leaves(started_here: RunDir) -> None:
    facts = started_here.facts()
    assert facts["until"] == "supernet"
    for stage in ("data", "teacher", "supernet"):
        folder = Path(facts[stage])
        assert (started_here.root / stage).resolve() == folder
        known = read_json(folder / "key.json")
        assert known.get("processes") == (None if stage == "data" else 2)
    assert set(read_json(started_here.ledger)["stages"]) == {"data", "teacher", "supernet"}
    leftovers = [path.name for path in Path(facts["supernet"]).parent.iterdir()]
    assert not any(name.endswith(".partial") for name in leftovers)
    assert not (started_here.root / FAILURE).exists()


@slow
@long
def test_with_torchrun_it_is_the_same_run(
    started_here: RunDir, config: Callable[[Path], dict[str, Any]], tmp_path: Path
) -> None:
    """Also where the config does not say how many they are; one of them alone goes on."""
    path = wrote({**config(tmp_path), "processes": 1}, tmp_path)
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "kdsearch"]
    done = subprocess.run(
        [sys.executable, *launcher, "run", str(path), "--out", str(tmp_path / "run")],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    run = RunDir(tmp_path / "run")
    assert contents(run) == contents(started_here)
    assert done.stdout.count("report: ") == 1
    assert done.stderr.count("data: digits") == 1 and run.front.exists()


@slow
@long
@pytest.mark.ray
def test_with_ray_train_it_is_the_same_run(
    started_here: RunDir,
    config: Callable[[Path], dict[str, Any]],
    go: Go,
    tmp_path: Path,
    ray_up: Any,
) -> None:
    """And Ctrl-C is what it was."""
    handlers = [signal.getsignal(number) for number in SIGNALS]
    on_ray = config(tmp_path)
    on_ray["search"] |= {"engine": "ray-tune", "workers": 2}
    run = go(on_ray, tmp_path / "run", until="supernet")
    assert contents(run) == contents(started_here)
    assert [signal.getsignal(number) for number in SIGNALS] == handlers


@slow
@long
def test_killed_they_go_on_as_if_nothing_had_been(
    started_here: RunDir, config: Callable[[Path], dict[str, Any]], go: Go, tmp_path: Path
) -> None:
    """Whoever started them is killed in the middle of the supernet, and they end with it."""
    content = config(tmp_path)
    path = wrote(content, tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "kdsearch", "run", str(path), "--out", str(tmp_path / "run")],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )
    run, deadline = RunDir(tmp_path / "run"), time.monotonic() + 300
    supernets = tmp_path / "store" / "supernet"
    while len(list(supernets.glob("*.partial/checkpoint*"))) == 0:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while run.busy():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert not (run.root / "supernet").exists()
    again = go(content, run.root, until="supernet")
    assert contents(again) == contents(started_here)


@slow
def test_an_error_of_theirs_is_told_as_one_line(
    config: Callable[[Path], dict[str, Any]], go: Go, tmp_path: Path
) -> None:
    """Fewer images than a batch, so that the config's own check does not see it."""
    few = config(tmp_path)
    few["data"]["limit"] = 31
    with pytest.raises(UserError) as caught:
        go(few, tmp_path / "run", until="supernet")
    assert str(caught.value) == (
        "a batch of 31 images cannot be shared evenly by 2 processes; "
        "set batch_size to a multiple of 2"
    )
    assert not (tmp_path / "run" / FAILURE).exists()


def test_an_object_does_not_travel(tiny: Tiny, go: Go, tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match="cannot travel to other processes.*processes: 1"):
        go(tiny(processes=2), tmp_path / "run", given=nn.Linear(2, 2))


def test_a_group_that_is_there_already_is_not_taken_for_a_whole_run(
    tiny: Tiny, go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its other processes would wait in the search for messages that never come."""
    monkeypatch.setattr("kdsearch.pipeline.run.world", lambda: 2)
    with pytest.raises(UserError, match="a process group is set up here"):
        go(tiny(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, (1, False)),
        ({"RANK": "1", "WORLD_SIZE": "4"}, (1, False)),  # somebody else's variables
        ({"RANK": "0", "WORLD_SIZE": "4", "MASTER_ADDR": "a", "MASTER_PORT": "1"}, (4, False)),
        ({"RANK": "3", "WORLD_SIZE": "4", "MASTER_ADDR": "a", "MASTER_PORT": "1"}, (4, True)),
        ({"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "a", "MASTER_PORT": "1"}, (1, False)),
    ],
)
def test_who_was_called(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, str], expected: tuple[int, bool]
) -> None:
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert (called(), follows()) == expected


@pytest.mark.parametrize("error", [UserError("no"), TrainingError("nan at step 3", 3)])
def test_a_failure_keeps_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.chdir(tmp_path)
    order = Order(None, str(tmp_path), "supernet", str(tmp_path))  # type: ignore[arg-type]
    with pytest.raises(type(error)), taking_part(order):
        raise error
    found = noted(tmp_path / FAILURE)
    assert type(found) is type(error) and str(found) == str(error)
    assert vars(found) == vars(error)
    assert list(tmp_path.iterdir()) == []


class Heard(Silent):
    def __init__(self) -> None:
        self.lines: list[tuple[Any, ...]] = []

    def start(self, task: str, total: int) -> None:
        self.lines.append(("start", task, total))

    def step(self, task: str, done: int, note: str = "") -> None:
        self.lines.append((task, done, note))

    def finish(self, task: str, note: str = "") -> None:
        self.lines.append(("finish", task))


def test_what_they_do_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "SECONDS_BETWEEN_LOOKS", 0.005)
    path, heard = tmp_path / "progress.json", Heard()

    def beat(task: str | None, done: int, updated: float) -> None:
        write_json(path, asdict(Beat(task, done, 9, f"at {done}", 0.0, updated)))
        time.sleep(0.1)

    beat("of an earlier run", 3, 0.0)
    with echoed(path, heard):
        time.sleep(0.1)
        beat("teacher", 2, 1.0)
        beat("teacher", 5, 2.0)
        beat("supernet", 1, 3.0)
    heard.lines = list(dict.fromkeys(heard.lines))  # a state may be looked at several times
    assert heard.lines == [
        ("start", "teacher", 9),
        ("teacher", 2, "at 2"),
        ("teacher", 5, "at 5"),
        ("finish", "teacher"),
        ("start", "supernet", 9),
        ("supernet", 1, "at 1"),
        ("finish", "supernet"),
    ]
