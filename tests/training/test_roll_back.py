"""A run that goes wrong: back to the last checkpoint at half the learning rate."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kdsearch.core.progress import Silent
from kdsearch.errors import TrainingError
from kdsearch.training import fit as fit_module
from kdsearch.training.checkpoint import Progressed
from kdsearch.training.distillation import Distillation
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling, fit
from kdsearch.training.plan import Plan, learning_rate
from kdsearch.training.task import Batch, Loss, Task

Learner = Callable[..., Distillation]

PLAN = Plan(
    steps=60, batch_size=16, learning_rate=0.05, weight_decay=1e-3, seed=7, augment="shift"
)
"""A window is a step, and every third ends with a checkpoint."""
HEALING = replace(PLAN, rollbacks=2)


class Killed(BaseException):
    """The process ends here."""


class Breaking:
    """A task whose loss is no number at some steps; the process may end at one.

    Args:
        breaks: how often a step's loss is no number, by step; counted down.
        dies: the visit, counted over all steps, at which the process ends.
    """

    def __init__(self, task: Distillation, breaks: dict[int, int], dies: int = -1) -> None:
        self.task, self.breaks, self.dies = task, breaks, dies
        self.module, self.classes = task.module, task.classes
        self.players, self.shows = task.players, task.shows
        self.visits: list[int] = []

    def losses(self, batch: Batch) -> Iterator[Loss]:
        if len(self.visits) == self.dies:
            raise Killed
        self.visits.append(batch.step)
        (loss,) = self.task.losses(batch)
        if self.breaks.get(batch.step, 0):
            self.breaks[batch.step] -= 1
            loss = Loss(loss.total * float("nan"), loss.cross_entropy)
        yield loss


class Said(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def train(
    task: Task, feed: Feed, path: Path, plan: Plan = HEALING, said: Said | None = None
) -> Progressed:
    tell = Telling(said or Silent(), "net")
    return fit(task, feed, plan, until=plan.steps, checkpoint=path, tell=tell)


def test_it_goes_back_to_the_last_checkpoint_and_says_so(
    feed: Feed, learner: Learner, tmp_path: Path
) -> None:
    task, said = Breaking(learner(0), {31: 1, 40: 1}), Said()
    done = train(task, feed, tmp_path / "run", said=said)
    assert task.visits == [*range(32), *range(30, 41), *range(39, 60)]
    assert (done.step, done.rollbacks) == (60, 2)
    assert [step for step, _ in done.curve] == list(range(1, 61))
    assert said.lines == [
        "net: loss is nan at step 31; a smaller learning_rate helps; "
        "back to step 30 at half the learning rate (1 of 2)",
        "net: loss is nan at step 40; a smaller learning_rate helps; "
        "back to step 39 at half the learning rate (2 of 2)",
    ]


def test_before_the_first_checkpoint_it_starts_anew(
    feed: Feed, learner: Learner, tmp_path: Path
) -> None:
    task = Breaking(learner(0), {1: 1})
    train(task, feed, tmp_path / "run")
    assert task.visits == [0, 1, *range(60)]


def test_once_too_often_is_too_often(feed: Feed, learner: Learner, tmp_path: Path) -> None:
    task = Breaking(learner(0), {31: 9})
    with pytest.raises(TrainingError, match="loss is nan at step 31"):
        train(task, feed, tmp_path / "run")
    assert task.visits == [*range(32), 30, 31, 30, 31]
    again = Breaking(learner(1), {31: 9})
    with pytest.raises(TrainingError, match="loss is nan at step 31"):
        train(again, feed, tmp_path / "run")
    assert again.visits == [30, 31]  # who comes back later has no more tries


def test_without_roll_backs_it_stops(feed: Feed, learner: Learner, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="loss is nan at step 31"):
        train(Breaking(learner(0), {31: 1}), feed, tmp_path / "run", PLAN)
    assert not (tmp_path / "run").exists()


def test_from_there_the_rate_is_halved(
    feed: Feed, learner: Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: dict[int, float] = {}
    real = fit_module.average

    def noted(*arguments: object) -> None:  # after each step
        (group,) = {g["lr"] for g in optimisers[-1].param_groups}
        rates[len(rates)] = group
        real(*arguments)  # type: ignore[arg-type]

    optimisers: list[torch.optim.Optimizer] = []
    make = fit_module.make_optimiser
    monkeypatch.setattr(
        fit_module,
        "make_optimiser",
        lambda *a: (optimisers.append(make(*a)), optimisers[-1])[1],
    )
    monkeypatch.setattr(fit_module, "average", noted)
    train(Breaking(learner(0), {31: 1}), feed, tmp_path / "run")
    whole = [learning_rate(PLAN, step) for step in range(60)]
    expected = [*whole[:32], *(rate / 2 for rate in whole[30:])]
    assert list(rates.values()) == pytest.approx(expected)


@pytest.mark.parametrize("dies", [35, 33, 20])  # visits, of which 32 lie before the roll-back
def test_killed_after_a_roll_back_it_goes_on_as_if_nothing_had_been(
    feed: Feed,
    learner: Learner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dies: int,
) -> None:
    """The clock has no say: not even one that asks for a checkpoint after each step."""
    expected = train(Breaking(learner(0, dropout=True), {31: 1}), feed, tmp_path / "straight")
    monkeypatch.setattr(fit_module, "CHECKPOINT_SECONDS", 0.0)
    breaks = {31: 1}  # whatever broke it the first time is gone
    with pytest.raises(Killed):
        train(Breaking(learner(0, dropout=True), breaks, dies), feed, tmp_path / "cut")
    found = train(Breaking(learner(5, dropout=True), breaks), feed, tmp_path / "cut")
    assert found.rollbacks == expected.rollbacks == 1
    assert found.curve == expected.curve
    assert (tmp_path / "cut").read_bytes() == (tmp_path / "straight").read_bytes()


def test_a_real_explosion_is_cured_by_smaller_steps(
    feed: Feed, learner: Learner, tmp_path: Path
) -> None:
    """The checkpoint nearest to it holds weights that are wrong already, and is not taken."""
    wild = replace(PLAN, learning_rate=64.0)
    with pytest.raises(TrainingError, match="at step 6; a smaller"):
        train(learner(0), feed, tmp_path / "wild", wild)
    done = train(learner(0), feed, tmp_path / "healed", replace(wild, rollbacks=2))
    assert done.step == 60 and done.rollbacks >= 1
    assert done.curve[-1][1] < 2.0


def test_broken_weights_are_not_kept_to_go_back_to(
    feed: Feed, learner: Learner, tmp_path: Path
) -> None:
    """A gradient that is no number spoils the weights of a step whose loss is fine."""

    class Spoiling(Breaking):
        def losses(self, batch: Batch) -> Iterator[Loss]:
            if self.breaks.pop(batch.step, 0):
                weight = next(self.module.parameters())
                self.handle = weight.register_hook(self.spoil)
            self.visits.append(batch.step)
            yield from self.task.losses(batch)

        def spoil(self, gradient: torch.Tensor) -> torch.Tensor:
            self.handle.remove()
            return gradient * float("nan")

    task, said = Spoiling(learner(0), {32: 1}), Said()
    done = train(task, feed, tmp_path / "run", said=said)
    assert task.visits == [*range(34), *range(30, 60)] and done.rollbacks == 1
    assert said.lines[0].startswith("net: loss is nan at step 33;")


@pytest.mark.parametrize(("steps", "until"), [(60, 60), (119, 119), (200, 130)])
def test_checkpoints_lie_at_twentieths(
    feed: Feed,
    learner: Learner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    steps: int,
    until: int,
) -> None:
    kept: list[int] = []
    for name in ("write_checkpoint", "packed"):
        real = getattr(fit_module, name)
        monkeypatch.setattr(
            fit_module, name, lambda *a, real=real: (kept.append(a[-1].step), real(*a))[1]
        )
    plan = replace(HEALING, steps=steps)
    tell = Telling(Silent(), "net")
    fit(learner(0), feed, plan, until=until, checkpoint=tmp_path / "run", tell=tell)
    window = max(1, steps // 60)
    ends = [-(-n * steps // 20) for n in range(20)]  # the first steps past each twentieth …
    expected = [-(-end // window) * window for end in ends]  # … at which a window ends
    assert kept == [step for step in expected if step < until] + [until]
