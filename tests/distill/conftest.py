"""What the method tests share: networks, a small data set, and a run cut short and gone on."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from kdsearch.core.progress import Silent
from kdsearch.data.records import DataInfo, Split
from kdsearch.distill.method import Method
from kdsearch.nets.resnet import ResNet
from kdsearch.training import fit as fit_module
from kdsearch.training.checkpoint import Progressed
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling, fit
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch, Loss, Task

CLASSES = 4
PLAN = Plan(steps=40, batch_size=16, learning_rate=0.05, weight_decay=1e-3, seed=7)
QUIET = Telling(Silent(), "test")

Made = Callable[..., nn.Module]
Taught = Callable[..., Distillation]
Trained = Callable[..., Progressed]


@pytest.fixture
def network() -> Made:
    """A fresh network of grey images: `network(seed, widths)`, one stage for each width."""

    def made(seed: int, widths: tuple[int, ...] = (4, 6, 8)) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return ResNet([(width, 1) for width in widths], 1, CLASSES)

    return made


@pytest.fixture(scope="session")
def patterns() -> Feed:
    """Ninety grey images of 8 px, a noisy pattern of its own for each of four classes: five
    batches of 16 an epoch."""
    generator = torch.Generator().manual_seed(0)
    shapes = torch.rand(CLASSES, 1, 8, 8, generator=generator)
    labels = torch.arange(90) % CLASSES
    noise = 0.15 * torch.randn(90, 1, 8, 8, generator=generator)
    images = ((shapes[labels] + noise).clamp(0, 1) * 255).to(torch.uint8)
    info = DataInfo(
        name="patterns",
        classes=tuple("abcd"),
        channels=1,
        size=8,
        mean=(0.5,),
        std=(0.3,),
        counts={"train": 90},
        skipped=(),
        fingerprint="patterns",
    )
    return Feed(Split(images, labels), info)


@pytest.fixture
def taught(patterns: Feed, network: Made) -> Taught:
    """The task of a fresh student of a seed: `taught(method, teacher, seed=0)`."""

    def made(method: Method, teacher: nn.Module | None = None, seed: int = 0) -> Distillation:
        lesson = Lesson(network(seed), method, teacher)
        return Distillation(lesson, patterns.sample(16), precision="float32", seed=3)

    return made


@pytest.fixture
def trained(patterns: Feed) -> Trained:
    """Trains a task: `trained(task, path, until, steps=40)`."""

    def done(task: Task, path: Path, until: int, steps: int = PLAN.steps) -> Progressed:
        plan = replace(PLAN, steps=steps)
        return fit(task, patterns, plan, until=until, checkpoint=path, tell=QUIET)

    return done


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


@pytest.fixture
def resumes(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[int], Distillation]], None]:
    """Asserts that a task, made with a seed, ends in the same bytes when killed on its way:
    twice inside an epoch and once between two."""

    def asserted(make: Callable[[int], Distillation]) -> None:
        trained(make(0), tmp_path / "straight", 24)
        monkeypatch.setattr(fit_module, "CHECKPOINT_SECONDS", 0.0)
        for seed, at in enumerate((3, 10, 17)):
            with pytest.raises(Killed):
                trained(Dying(make(seed), at), tmp_path / "cut", 24)
        trained(make(99), tmp_path / "cut", 24)
        assert (tmp_path / "cut").read_bytes() == (tmp_path / "straight").read_bytes()

    return asserted
