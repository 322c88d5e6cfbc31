"""The driver is killed with SIGKILL, the same command is given again: nothing is lost."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from kdsearch.core.progress import Silent
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]
KDSEARCH = ("-m", "kdsearch")
EAGER = """
import sys
import kdsearch.training.fit as fit
from kdsearch.cli import main
fit.CHECKPOINT_SECONDS = 0.0
sys.exit(main())
"""
"""As the command, but with a checkpoint at every point of the curve."""


def command(
    config: dict[str, Any], run: RunDir, *more: str, program: Sequence[str] = KDSEARCH
) -> Any:
    """`kdsearch run` in a process of its own."""
    path = run.root.with_suffix(".yaml")
    path.write_text(json.dumps(config))
    return subprocess.Popen(
        [sys.executable, *program, "run", str(path), "--out", str(run.root), *more],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=run.root.with_suffix(".err").open("ab"),
    )


def kill_when(process: Any, is_time: Callable[[], bool]) -> None:
    """SIGKILL as soon as `is_time`; fails if the process ends by itself before."""
    deadline = time.monotonic() + 300
    while not is_time():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -9


def results(config: dict[str, Any], run: RunDir) -> dict[str, Path]:
    """The result files of all jobs, by a name that is the same in every run."""
    inherited = Path(config["store"]).glob("inherited/*/*/rung0.json")
    climbed = run.root.glob("trials-*/*/rung*.json")
    return {"/".join(p.parts[-2:]): p for p in (*inherited, *climbed)}


def moments(config: dict[str, Any], run: RunDir) -> int:
    """How far a search is: results written, and lines of its journal."""
    lines = sum(p.read_bytes().count(b"\n") for p in run.root.glob("study-*.journal"))
    return lines + len(results(config, run))


@pytest.fixture
def prepared(
    tiny: Any, finished: RunDir, store: Path, tmp_path: Path
) -> Callable[[str], dict[str, Any]]:
    """A longer search's config, with a store of its own that has no more than a supernet."""

    def config(name: str) -> dict[str, Any]:
        own = tmp_path / f"store-{name}"
        for stage in ("data", "teacher", "supernet"):
            shutil.copytree(store / stage, own / stage)
        search = {"trials": 12, "screen_layers": 1, "rungs": [0.2, 0.6, 1.0]}
        made: dict[str, Any] = tiny(search=search, distill={"epochs": 8}, store=str(own))
        return made

    return config


def test_killed_at_random_moments_a_search_has_the_same_trials(
    prepared: Any, go: Any, tmp_path: Path
) -> None:
    config = prepared("whole")
    whole = go(config, tmp_path / "runs" / "whole")
    expected, last = trials(whole), moments(config, whole)
    all_results = results(config, whole).keys()
    assert len(expected) == 12

    config, killed = prepared("killed"), RunDir(tmp_path / "runs" / "killed")
    rng = random.Random(1)
    seen: dict[Path, tuple[int, int]] = {}
    kills = 5
    for part in range(kills):
        moment = int(last * (part + rng.random()) / kills)
        process = command(config, killed)
        kill_when(process, lambda at=moment: moments(config, killed) >= at)  # type: ignore[misc]
        seen |= {p: identity(p) for p in results(config, killed).values() if p not in seen}
    assert command(config, killed).wait() == 0

    assert trials(killed) == expected
    assert results(config, killed).keys() == all_results
    assert len(seen) >= 8
    assert seen == {p: identity(p) for p in seen}, "a result was written again"
    assert len(killed.test_openings.read_text().splitlines()) == 1


def identity(path: Path) -> tuple[int, int]:
    """Changes when a file is written anew."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


class Steps(Silent):
    """Progress that keeps the first step it is told of each task."""

    def __init__(self) -> None:
        self.first: dict[str, int] = {}

    def step(self, task: str, done: int, note: str = "") -> None:
        self.first.setdefault(task, done)


def checkpoint_step(store: Path, stage: str) -> int:
    """Step of the checkpoint of a stage that is under way; 0 where there is none."""
    for path in store.glob(f"{stage}/*.partial/checkpoint.safetensors"):
        with safe_open(path, "pt") as file:
            return int(json.loads(file.metadata()["facts"])["step"])
    return 0


def test_killed_in_training_a_stage_goes_on_from_its_checkpoint(
    tiny: Any, go: Any, store: Path, finished: RunDir, tmp_path: Path
) -> None:
    def config(name: str) -> dict[str, Any]:
        shutil.copytree(store / "data", tmp_path / f"store-{name}" / "data")
        made: dict[str, Any] = tiny(
            teacher={"epochs": 10},
            supernet={"epochs": 5},
            store=str(tmp_path / f"store-{name}"),
        )
        return made

    whole = go(config("whole"), tmp_path / "runs" / "whole", until="supernet")
    mine, run = config("killed"), RunDir(tmp_path / "runs" / "killed")
    own = Path(mine["store"])
    for stage in ("teacher", "supernet"):
        process = command(mine, run, "--until", stage, program=("-c", EAGER))
        kill_when(process, lambda at=stage: checkpoint_step(own, at) > 9)  # type: ignore[misc]
        reached = checkpoint_step(own, stage)
        steps = Steps()
        go(mine, run.root, steps, until=stage)
        assert steps.first[stage] > reached > 9
        weights = [load_file(r.root / stage / f"{stage}.safetensors") for r in (whole, run)]
        assert weights[0].keys() == weights[1].keys()
        assert all(torch.equal(tensor, weights[1][n]) for n, tensor in weights[0].items())
