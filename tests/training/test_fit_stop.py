"""Training that is asked to stop writes its checkpoint and goes on from there, step by step."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from kdsearch.core.progress import Silent
from kdsearch.stopping import STOPPING
from kdsearch.training.checkpoint import Progressed
from kdsearch.training.distillation import Distillation
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling, fit
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch, Loss, Task

Learner = Callable[..., Distillation]

PLAN = Plan(
    steps=150, batch_size=16, learning_rate=0.05, weight_decay=1e-3, seed=7, augment="shift"
)
"""A window is two steps; no checkpoint is due within seconds."""


class Asking:
    """A task during whose steps somebody asks to stop, as often as a step is named."""

    def __init__(self, task: Distillation, *steps: int) -> None:
        self.task, self.steps = task, steps
        self.module, self.classes = task.module, task.classes
        self.players, self.shows = task.players, task.shows
        self.visits: list[int] = []

    def losses(self, batch: Batch) -> Iterator[Loss]:
        self.visits.append(batch.step)
        for _ in range(self.steps.count(batch.step)):
            signal.raise_signal(signal.SIGINT)
        yield from self.task.losses(batch)


class Said(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def train(
    task: Task, feed: Feed, path: Path, plan: Plan = PLAN, said: Silent | None = None
) -> Progressed:
    tell = Telling(said or Silent(), "net")
    return fit(task, feed, plan, until=plan.steps, checkpoint=path, tell=tell)


@pytest.mark.parametrize("stops", [(30,), (31,), (0, 77)])
def test_a_stopped_run_goes_on_as_if_nothing_had_been(
    feed: Feed, learner: Learner, tmp_path: Path, stops: tuple[int, ...]
) -> None:
    """Between two points of the curve as well as at one."""
    said, visits = Said(), []
    for step in stops:
        task = Asking(learner(0), step)
        with pytest.raises(KeyboardInterrupt):
            train(task, feed, tmp_path / "cut", said=said)
        visits += task.visits
    assert said.lines == [STOPPING] * len(stops)
    task = Asking(learner(0))
    found = train(task, feed, tmp_path / "cut")
    assert visits + task.visits == list(range(150))
    whole = train(learner(0), feed, tmp_path / "whole")
    assert found.curve == whole.curve
    assert found.best_cross_entropy == whole.best_cross_entropy
    one, other = load_file(tmp_path / "cut"), load_file(tmp_path / "whole")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_second_request_is_obeyed_at_once(
    feed: Feed, learner: Learner, tmp_path: Path
) -> None:
    task = Asking(learner(0), 30, 30)
    with pytest.raises(KeyboardInterrupt):
        train(task, feed, tmp_path / "run")
    assert task.visits[-1] == 30
    assert not (tmp_path / "run").exists()


def test_a_request_at_the_last_step_is_heard(
    feed: Feed, learner: Learner, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(Asking(learner(0), 149), feed, tmp_path / "run")
    task = Asking(learner(0))
    assert train(task, feed, tmp_path / "run").step == 150
    assert task.visits == []


def test_the_checkpoint_that_one_goes_back_to_stays(
    feed: Feed, learner: Learner, tmp_path: Path
) -> None:
    healing = replace(PLAN, rollbacks=2)
    with pytest.raises(KeyboardInterrupt):
        train(Asking(learner(0), 60), feed, tmp_path / "cut", healing)
    task = Asking(learner(0))
    found = train(task, feed, tmp_path / "cut", healing)
    assert 0 < task.visits[0] < 60
    whole = train(learner(0), feed, tmp_path / "whole", healing)
    assert found.curve == whole.curve
