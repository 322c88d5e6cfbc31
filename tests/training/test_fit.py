"""The loop: the same run however it is cut, and nothing touched that is not its own."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from kdsearch.core.progress import Noting, Silent
from kdsearch.data.records import Split
from kdsearch.errors import TrainingError
from kdsearch.measure.accuracy import predict, top1
from kdsearch.training import fit as fit_module
from kdsearch.training.checkpoint import Progressed
from kdsearch.training.distillation import Distillation
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling, fit
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch, Loss, Shows, Task

Learner = Callable[..., Distillation]

PLAN = Plan(
    steps=150, batch_size=16, learning_rate=0.05, weight_decay=1e-3, seed=7, augment="shift"
)
QUIET = Telling(Silent(), "test")


def train(task: Task, feed: Feed, path: Path, until: int, plan: Plan = PLAN) -> Progressed:
    return fit(task, feed, plan, until=until, checkpoint=path, tell=QUIET)


class Killed(BaseException):
    """The process ends here."""


class Dying:
    """A task that is killed at a step."""

    def __init__(self, task: Distillation, at: int) -> None:
        self.task, self.at = task, at
        self.module, self.classes = task.module, task.classes
        self.players, self.shows = task.players, task.shows

    def losses(self, batch: Batch) -> Iterator[Loss]:
        if batch.step == self.at:
            raise Killed
        yield from self.task.losses(batch)


def assert_same_tensors(one: Path, other: Path) -> None:
    found, expected = load_file(one), load_file(other)
    assert set(found) == set(expected)
    assert {name.split("/")[0] for name in found} == {"module", "average", "optimiser"}
    different = [name for name in found if not torch.equal(found[name], expected[name])]
    assert not different


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("deaths", [(31,), (10, 11, 77)])
def test_a_killed_run_goes_on_as_if_nothing_had_been(
    feed: Feed,
    learner: Learner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dropout: bool,
    deaths: tuple[int, ...],
) -> None:
    """Weights, statistics, momentum, average and curve are the same to the last bit."""
    straight = learner(0, dropout=dropout)
    expected = train(straight, feed, tmp_path / "straight", 90)
    monkeypatch.setattr(fit_module, "CHECKPOINT_SECONDS", 0.0)
    for number, at in enumerate(deaths):
        with pytest.raises(Killed):
            train(Dying(learner(number, dropout=dropout), at), feed, tmp_path / "cut", 90)
    resumed = learner(99, dropout=dropout)
    found = train(resumed, feed, tmp_path / "cut", 90)
    assert_same_tensors(tmp_path / "cut", tmp_path / "straight")
    assert (found.curve, found.best_cross_entropy, found.step) == (
        expected.curve,
        expected.best_cross_entropy,
        90,
    )
    for name, value in straight.module.state_dict().items():
        assert torch.equal(resumed.module.state_dict()[name], value), name
    for name, value in expected.average.items():
        assert torch.equal(found.average[name], value), name
    assert (tmp_path / "cut").read_bytes() == (tmp_path / "straight").read_bytes()


def test_a_resumed_run_starts_from_the_checkpoint_not_from_the_beginning(
    feed: Feed, learner: Learner, tmp_path: Path
) -> None:
    train(learner(0), feed, tmp_path / "run", 20)
    seen: list[int] = []
    task = learner(1)
    inner = task.losses
    task.losses = lambda batch: (seen.append(batch.step), inner(batch))[1]  # type: ignore[method-assign]
    train(task, feed, tmp_path / "run", 30)
    assert seen == list(range(20, 30))
    seen.clear()
    train(task, feed, tmp_path / "run", 30)
    assert seen == []


@pytest.mark.parametrize("rung", [40, 75])
def test_a_rung_is_a_prefix(feed: Feed, learner: Learner, tmp_path: Path, rung: int) -> None:
    """Stopped at a rung (in the middle of a window of the curve, too) and gone on."""
    train(learner(0), feed, tmp_path / "whole", 150)
    at_rung = train(learner(0), feed, tmp_path / "parts", rung)
    assert at_rung.step == rung
    again = train(learner(1), feed, tmp_path / "parts", 150)
    assert_same_tensors(tmp_path / "parts", tmp_path / "whole")
    assert [step for step, _ in again.curve][-1] == 150
    if rung % (PLAN.steps // fit_module.CURVE_POINTS) == 0:
        assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_seed_is_a_run(feed: Feed, learner: Learner, tmp_path: Path) -> None:
    for name, plan in (("a", PLAN), ("b", PLAN), ("c", replace(PLAN, seed=8))):
        train(learner(0), feed, tmp_path / name, 10, plan)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_it_learns_and_so_does_the_average(
    feed: Feed, learner: Learner, tmp_path: Path
) -> None:
    task = learner(0)
    done = train(task, feed, tmp_path / "run", 150)
    steps, losses = zip(*done.curve, strict=True)
    assert list(steps) == list(range(2, 151, 2))
    assert losses[0] > 1.1 and losses[-1] < 0.5
    plan = replace(PLAN, augment="none", batch_size=90)
    batch = next(feed.batches(plan, Shows(), 0, 1))
    student = task.module.student
    assert top1(predict(student, batch.images, 90), batch.labels) > 0.9
    averaged = task.shipped(done.average)
    assert top1(predict(averaged, batch.images, 90), batch.labels) > 0.9
    last = student.classifier.weight
    assert not torch.equal(averaged.classifier.weight, last)


def test_the_curve_is_the_mean_loss_of_each_window(
    feed: Feed, learner: Learner, tmp_path: Path
) -> None:
    task, losses = learner(0), []
    inner = task.losses

    def noted(batch: Batch) -> Iterator[Loss]:
        for loss in inner(batch):
            losses.append(loss.total.item())
            yield loss

    task.losses = noted  # type: ignore[method-assign]
    done = train(task, feed, tmp_path / "run", 9)
    assert [step for step, _ in done.curve] == [2, 4, 6, 8, 9]
    means = [sum(losses[i : i + 2]) / 2 for i in (0, 2, 4, 6)]
    assert [loss for _, loss in done.curve] == pytest.approx([*means, losses[8]])
    assert done.best_cross_entropy == pytest.approx(min([*means, losses[8]]))


@pytest.mark.parametrize("fails", [False, True])
def test_global_generators_are_left_alone(
    feed: Feed, learner: Learner, tmp_path: Path, fails: bool
) -> None:
    torch.manual_seed(3), random.seed(3), np.random.seed(3)
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    task = Dying(learner(0, dropout=True), 5 if fails else -1)
    if fails:
        with pytest.raises(Killed):
            train(task, feed, tmp_path / "run", 10)
    else:
        train(task, feed, tmp_path / "run", 10)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert (np.random.get_state()[1] == states[2]).all()


class Scripted:
    """A task whose losses are written down before."""

    classes, shows = 10, Shows()

    def __init__(self, script: Callable[[int], float]) -> None:
        self.module, self.script = nn.Linear(2, 2), script
        self.players = [(self.module,)]

    def losses(self, batch: Batch) -> Iterator[Loss]:
        value = self.script(batch.step)
        yield Loss(self.module.weight.sum() * 0 + value, torch.tensor(value))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(("steps", "at"), [(50, 7), (600, 33)])
def test_a_loss_that_is_no_number_stops_with_its_step(
    feed: Feed, tmp_path: Path, value: float, steps: int, at: int
) -> None:
    """Also within a window of ten steps; and no such weights are written."""
    task = Scripted(lambda step: value if step >= at else 1.0)
    with pytest.raises(TrainingError, match=f"{value} at step {at};") as caught:
        train(task, feed, tmp_path / "run", steps, replace(PLAN, steps=steps))
    assert caught.value.step == at
    assert not (tmp_path / "run").exists()


def test_a_fall_back_to_chance_stops_with_its_step(feed: Feed, tmp_path: Path) -> None:
    task = Scripted(lambda step: 1.0 if step < 20 else 2.3)
    with pytest.raises(TrainingError, match="fell back to chance at step 20") as caught:
        train(task, feed, tmp_path / "run", 50, replace(PLAN, steps=50))
    assert caught.value.step == 20


def test_a_fall_is_seen_also_by_who_went_on(feed: Feed, tmp_path: Path) -> None:
    """What was learnt before the checkpoint counts."""
    plan = replace(PLAN, steps=50)
    train(Scripted(lambda step: 1.0), feed, tmp_path / "run", 20, plan)
    with pytest.raises(TrainingError, match="fell back to chance at step 20"):
        train(Scripted(lambda step: 2.3), feed, tmp_path / "run", 50, plan)


def test_one_image_a_step_does_not_tell_chance(feed: Feed, tmp_path: Path) -> None:
    """Cross-entropies of single images are far from chance's, up and down."""
    plan = replace(PLAN, steps=50, batch_size=1)
    done = train(Scripted(lambda step: 4.0 * (step % 2)), feed, tmp_path / "run", 50, plan)
    assert done.step == 50


def test_who_never_learnt_does_not_fall(feed: Feed, tmp_path: Path) -> None:
    done = train(Scripted(lambda step: 2.3), feed, tmp_path / "run", 50)
    assert done.step == 50


def test_a_checkpoint_is_never_half_there(
    feed: Feed, learner: Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends while the second checkpoint is written: the first is what remains."""
    path = tmp_path / "run"
    train(learner(0), feed, path, 20)
    before = path.read_bytes()

    def crash(handle: int) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("os.fsync", crash)
        train(learner(1), feed, path, 40)
    assert path.read_bytes() == before
    train(learner(2), feed, path, 40)
    train(learner(0), feed, tmp_path / "straight", 40)
    assert path.read_bytes() == (tmp_path / "straight").read_bytes()


def test_batches_are_a_function_of_the_step(feed: Feed) -> None:
    def some(start: int, until: int, **changes: object) -> Iterator[Batch]:
        return feed.batches(replace(PLAN, **changes), Shows(), start, until)

    from_start, later = list(some(0, 12)), list(some(9, 12))
    for one, other in zip(from_start[9:], later, strict=True):
        assert torch.equal(one.images, other.images) and one.step == other.step
        assert torch.equal(one.labels, other.labels)
        assert torch.equal(feed.split.labels[one.indices], one.labels)
        assert (one.progress, one.opens_epoch) == (one.step / 150, one.step % 5 == 0)
    plain = next(some(0, 1, augment="none", batch_size=90))
    order = plain.labels
    assert sorted(order.tolist()) == sorted(feed.split.labels.tolist())
    torch.testing.assert_close(plain[0].mean(), torch.tensor(0.0), atol=1e-4, rtol=0)
    torch.testing.assert_close(plain[0].std(), torch.tensor(1.0), atol=1e-3, rtol=0)
    assert not torch.equal(from_start[0][0], next(some(0, 1, augment="none"))[0])


def test_each_step_and_seed_has_an_augmentation_of_its_own(feed: Feed) -> None:
    """Seen on one image repeated, so that the order of the batch does not show."""
    same = Feed(
        Split(feed.split.images[:1].repeat(16, 1, 1, 1), feed.split.labels[:16]), feed.info
    )
    shown = [
        next(same.batches(replace(PLAN, seed=seed), Shows(), step, step + 1)).images
        for seed, step in ((0, 0), (0, 1), (1, 0), (0, 0))
    ]
    assert torch.equal(shown[0], shown[3])
    assert not torch.equal(shown[0], shown[1]) and not torch.equal(shown[0], shown[2])


class Heard(Silent):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, int | str]] = []

    def start(self, task: str, total: int) -> None:
        self.lines.append(("start", task, total))

    def step(self, task: str, done: int, note: str = "") -> None:
        self.lines.append(("step", task, done))

    def finish(self, task: str, note: str = "") -> None:
        self.lines.append(("finish", task, note))


def test_it_tells_how_far_it_is(feed: Feed, learner: Learner, tmp_path: Path) -> None:
    heard = Heard()
    fit(learner(0), feed, PLAN, until=5, checkpoint=tmp_path / "run", tell=Telling(heard, "t"))
    assert heard.lines[0] == ("start", "t", 5)
    assert [done for kind, _, done in heard.lines if kind == "step"] == [2, 4, 5]
    assert heard.lines[-1][2].startswith("loss ")


@pytest.mark.parametrize("rollbacks", [0, 1])
def test_from_a_damaged_checkpoint_it_begins_anew_and_says_so(
    feed: Feed, learner: Learner, tmp_path: Path, rollbacks: int
) -> None:
    plan, heard = replace(PLAN, rollbacks=rollbacks), Noting(Silent())
    train(learner(0), feed, tmp_path / "whole", 40, plan)
    path = tmp_path / "run"
    train(learner(0), feed, path, 20, plan)
    path.write_bytes(path.read_bytes()[:-100])
    tell = Telling(heard, "trial 3, rung 2")
    fit(learner(0), feed, plan, until=40, checkpoint=path, tell=tell)
    assert heard.lines == [f"{path}: damaged; trial 3, rung 2 begins anew"]
    assert path.read_bytes() == (tmp_path / "whole").read_bytes()
