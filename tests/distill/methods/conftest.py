"""What the suite over METHODS shares: a method shown outputs by hand, and networks to teach.

Nothing here knows a method: what differs between two is read from their needs.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.progress import Silent
from kdsearch.distill import METHODS
from kdsearch.distill.hard import Hard
from kdsearch.distill.method import Method, Probe, Said, Seen
from kdsearch.nets.resnet import ResNet
from kdsearch.nets.taps import tap
from kdsearch.output import Output, detached, each
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling, fit
from kdsearch.training.plan import Plan

CLASSES, BATCH = 4, 6


def normal_output(seed: int, width: int, rows: int, classes: int) -> Output:
    """Random logits, three maps of `width` channels and more, and pooled features: leaves."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).requires_grad_()

    feats = tuple(normal(rows, width << s, 8 >> s, 8 >> s) for s in range(3))
    return Output(normal(rows, classes), feats, normal(rows, width << 2))


def only(out: Output, named: Iterable[str]) -> Output:
    """The fields that a method names; the rest is not there."""
    keep = set(named)
    return Output(
        out.logits if "logits" in keep else None,
        out.feats if "feats" in keep else (),
        out.pooled if "pooled" in keep else None,
    )


class Scene:
    """A method with its modules, shown outputs as the trainer would: the fields that its needs
    name and no others, a frozen teacher's without a graph."""

    def __init__(self, method: Method, classes: int = CLASSES, batch: int = BATCH) -> None:
        self.method, self.needs = method, method.needs
        self.classes, self.batch = classes, batch
        probe = Probe(
            only(normal_output(0, 4, 2, classes), self.needs.student),
            self.of_teacher(normal_output(1, 8, 2, classes)),
            classes,
            90,
            batch,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            parts, online = self.needs.parts, self.needs.online
            self.parts = nn.Module() if parts is None else parts(probe)
            self.online = None if online is None else online.parts(probe)

    @property
    def rows(self) -> int:
        return self.batch * (1 + len(self.needs.views))

    def of_teacher(self, out: Output) -> Output | None:
        if self.needs.online is not None:
            return out
        return detached(only(out, self.needs.teacher)) if self.needs.teacher else None

    def student(self, seed: int = 2, width: int = 4) -> Output:
        return normal_output(seed, width, self.rows, self.classes)

    def teacher(self, seed: int = 3, width: int = 8) -> Output:
        return normal_output(seed, width, self.rows, self.classes)

    def seen(self, student: Output | None = None, teacher: Output | None = None) -> Seen:
        """The first step of an epoch and of the training; `_replace` gives others."""
        said = self.of_teacher(teacher or self.teacher())
        seen = Seen(
            only(student or self.student(), self.needs.student),
            said,
            torch.arange(self.batch) % self.classes,
            self.parts,
            opens_epoch=True,
            indices=torch.arange(self.batch),
        )
        if self.online is None or said is None:
            return seen
        guide = Said(detached(said), self.online)
        return seen._replace(teacher=None, online=Said(said, self.online), guide=guide)

    def told(self, seen: Seen, student: Output) -> tuple[Tensor, list[Tensor]]:
        """The loss, and its gradients in those of the student's tensors that it depends on."""
        loss = self.method(seen)
        tensors = [t for t in (student.logits, *student.feats, student.pooled) if t is not None]
        found = torch.autograd.grad(loss, tensors, allow_unused=True)
        return loss, [gradient for gradient in found if gradient is not None]

    def steps(self) -> list[Tensor]:
        """Losses of a few steps from the first to the last, for all that a schedule does."""
        losses = []
        for number, progress in enumerate((0.0, 0.02, 0.5, 0.98)):
            seen = self.seen(self.student(10 + number), self.teacher(20 + number))
            seen = seen._replace(progress=progress, opens_epoch=number == 0)
            torch.manual_seed(number)
            losses.append(self.method(seen))
        return losses


@pytest.fixture(scope="session")
def scene() -> type[Scene]:
    return Scene


def permuted(out: Output, order: Tensor) -> Output:
    return each(out, lambda t: torch.cat([block[order] for block in t.split(len(order))]))


@pytest.fixture(scope="session")
def reordered() -> Callable[[Output, Tensor], Output]:
    """An output with every block of rows in another order."""
    return permuted


class TwoStages(nn.Module):
    """Somebody's own network: two stages, biased convolutions, logits and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 5, 3, 1, 1), nn.BatchNorm2d(5), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(5, 9, 3, 2, 1), nn.BatchNorm2d(9), nn.ReLU())
        self.out = nn.Linear(9, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        return self.out(self.second(self.first(images)).mean((2, 3)))  # type: ignore[no-any-return]


def seeded(seed: int, make: Callable[[], nn.Module]) -> nn.Module:
    """A network whose norms hide nothing: a block's last one does not start at 0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = make()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.bias, -0.1, 0.3)
    return network


STUDENTS: dict[str, Callable[[int], nn.Module]] = {
    "family": lambda seed: seeded(seed, lambda: ResNet([(4, 1), (6, 1), (8, 1)], 1, CLASSES)),
    "brought": lambda seed: seeded(seed, lambda: tap(TwoStages(), torch.zeros(2, 1, 8, 8))),
}
"""Of the teacher's family, and a plain module with fewer stages, other widths and sizes."""


@pytest.fixture(params=STUDENTS)
def student(request: pytest.FixtureRequest) -> Callable[[int], nn.Module]:
    """A fresh student of a seed, of either kind."""
    return STUDENTS[request.param]


@pytest.fixture(scope="session")
def family_student() -> Callable[[int], nn.Module]:
    return STUDENTS["family"]


@pytest.fixture(scope="session")
def teacher(patterns: Feed, tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    """Wider than the students, trained on labels, frozen."""
    network = seeded(99, lambda: ResNet([(6, 1), (10, 1), (14, 1)], 1, CLASSES))
    task = Distillation(
        Lesson(network, Hard(), None), patterns.sample(16), precision="float32", seed=0
    )
    plan = Plan(steps=40, batch_size=16, learning_rate=0.05, weight_decay=1e-3, seed=1)
    path: Path = tmp_path_factory.mktemp("teacher") / "checkpoint"
    telling = Telling(Silent(), "teacher")
    fit(task, patterns, plan, until=plan.steps, checkpoint=path, tell=telling)
    network.zero_grad()
    return network.requires_grad_(False).eval()


Teach = Callable[..., Distillation]


@pytest.fixture(scope="session")
def teach(patterns: Feed, teacher: nn.Module) -> Teach:
    """The task of a student taught by a method of the table: `teach(name, student)`."""

    def taught(
        name: str, student: nn.Module, precision: str = "float32", **knobs: float | str
    ) -> Distillation:
        method = METHODS[name](**knobs)
        guide = teacher if method.needs.teacher or method.needs.online else None
        lesson = Lesson(student, method, guide)
        return Distillation(lesson, patterns.sample(16), precision=precision, seed=0)

    return taught
