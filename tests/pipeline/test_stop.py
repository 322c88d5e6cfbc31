"""Who is asked to stop goes on from a checkpoint: nothing is lost, nothing is done twice."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kdsearch.core.progress import Silent
from kdsearch.files import read_json
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir
from kdsearch.stopping import STOPPING, Stopped


class Asking(Silent):
    """Somebody asks to stop when a task has come so far."""

    def __init__(self, task: str, done: int) -> None:
        self.task, self.done = task, done
        self.lines: list[str] = []

    def step(self, task: str, done: int, note: str = "") -> None:
        if (task, done) == (self.task, self.done):
            signal.raise_signal(signal.SIGINT)

    def say(self, line: str) -> None:
        self.lines.append(line)


def folder(run: RunDir) -> Path:
    return run.trials(run.facts()["study"])


def results(run: RunDir) -> dict[str, Any]:
    """All but the time it took."""
    found = sorted(folder(run).rglob("rung*.json"))
    return {
        str(path.relative_to(folder(run))): {**read_json(path), "seconds": 0} for path in found
    }


def test_a_stopped_search_goes_on_where_it_was(
    finished: RunDir, tiny: Any, go: Any, tmp_path: Path
) -> None:
    """Its results are those of one that was left alone, curves included."""
    asking, run = Asking("trial 2, rung 1", 5), RunDir(tmp_path / "run")
    with pytest.raises(Stopped):
        go(tiny(), run.root, asking, until="search")
    assert STOPPING in asking.lines
    before = results(run)
    assert before
    cut = {path.name for path in (folder(run) / "0002").iterdir()}
    assert "checkpoint.safetensors" in cut and "rung1.json" not in cut
    written = {name: (folder(run) / name).stat().st_mtime_ns for name in before}
    steps: list[int] = []

    class Seen(Silent):
        def step(self, task: str, done: int, note: str = "") -> None:
            if task == "trial 2, rung 1":
                steps.append(done)

    go(tiny(), run.root, Seen(), until="search")
    assert steps[0] > 5
    assert {n: (folder(run) / n).stat().st_mtime_ns for n in before} == written
    wanted = results(finished)
    assert {name: wanted[name] for name in results(run)} == results(run)
    assert [(t.state, t.scores) for t in trials(run)] == [
        (t.state, t.scores) for t in trials(finished)
    ]


STOPS = """
import os, signal, sys
from kdsearch.cli import main
from kdsearch.pipeline.lines import Lines

name, *words = sys.argv[1:]

def step(self, task, done, note="", told=Lines.step):
    if (task, done) == ("trial 0, rung 1", 5):
        os.kill(os.getpid(), getattr(signal, name))
    told(self, task, done, note)

Lines.step = step
sys.exit(main(words))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_the_command_says_so_and_ends_with_130(
    finished: RunDir, name: str, tmp_path: Path
) -> None:
    config, out = finished.config, tmp_path / "run"
    words = ["run", str(config), "--out", str(out), "--set", "search.trials=4"]
    done = subprocess.run(
        [sys.executable, "-c", STOPS, name, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 130, done.stderr
    assert STOPPING in done.stderr
    assert done.stderr.splitlines()[-1] == (
        "kdsearch: stopped; the same command goes on from here"
    )
