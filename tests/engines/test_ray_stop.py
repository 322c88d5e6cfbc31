"""Ctrl-C with workers of Ray: their jobs write checkpoints and go on from there."""

import os
from pathlib import Path
from typing import Any

import pytest

from kdsearch.core.progress import Silent
from kdsearch.files import read_json
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir
from kdsearch.stopping import STOPPING, Stopped

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(300)]

ASKING = '''
import os
import signal
import time
from pathlib import Path

import torch
from torch import nn

ORDER = Path(__file__).with_name("whom to stop")


class Asking(nn.Module):
    """Stops the process that the order names, and gives it time to tell us."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, images):
        if ORDER.exists():
            process = int(ORDER.read_text())
            ORDER.unlink()
            os.kill(process, signal.SIGINT)
            time.sleep(4)
        return self.head(images.flatten(1))


def teacher():
    torch.manual_seed(0)
    return Asking()
'''


class Ordering(Silent):
    """Has the teacher stop this process while it teaches the third trial."""

    def __init__(self, order: Path) -> None:
        self.order = order
        self.lines: list[str] = []

    def step(self, task: str, done: int, note: str = "") -> None:
        if (task, done) == ("search", 2):
            self.order.write_text(str(os.getpid()))

    def say(self, line: str) -> None:
        self.lines.append(line)


def folder(run: RunDir) -> Path:
    return run.trials(run.facts()["study"])


def results(run: RunDir) -> dict[str, Any]:
    found = sorted(folder(run).glob("*/rung*.json"))
    return {path.parent.name: read_json(path) | {"seconds": 0} for path in found}


@pytest.mark.parametrize("engine", ["ray-actors", "ray-tune"])
def test_jobs_of_workers_go_on_from_their_checkpoints(
    ray_up: Any, tiny: Any, go: Any, plugins: Path, tmp_path: Path, engine: str
) -> None:
    (plugins / "asking.py").write_text(ASKING)

    def config(name: str) -> Any:
        return tiny(
            teacher={"network": "module:asking:teacher", "training": "none"},
            distill={"methods": ["soften"]},
            search={"screen_layers": 9, "engine": name},
        )

    run = RunDir(tmp_path / "run")
    ordering = Ordering(plugins / "whom to stop")
    with pytest.raises(Stopped):
        go(config(engine), run.root, ordering, until="search")
    assert ordering.lines.count(STOPPING) == 1
    before = results(run)
    begun = {path.parent.name for path in folder(run).glob("*/checkpoint.safetensors")}
    (cut,) = begun - before.keys()
    go(config(engine), run.root, until="search")
    left_alone = go(config("in-process"), tmp_path / "other", until="search")
    after = results(run)
    assert {name: after[name] for name in before} == before
    assert after == results(left_alone)
    assert {t.state for t in trials(run)} <= {"complete", "stopped"}
