"""The sandwich rule: what each path aims at, and one sum of losses."""

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.losses.softened import softened_kl
from kdsearch.output import Output
from kdsearch.supernet.train import TEACHER_WEIGHT, TEMPERATURE, Sandwich, SupernetTask

CLASSES = 5


class Teacher(nn.Module):
    """Linear, and counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.calls = nn.Linear(64, CLASSES), 0

    def forward(self, images: Tensor) -> Output:
        self.calls += 1
        return Output(3 * self.linear(images.flatten(1)))


class Noting(nn.Module):
    """A supernet that notes which paths it is asked for."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.paths: list[Architecture] = []

    def forward(self, images: Tensor, architecture: Architecture) -> Output:
        self.paths.append(architecture)
        return self.net(images, architecture)


@pytest.fixture
def teacher() -> Teacher:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Teacher()


def task_of(
    net: nn.Module, space: Space, teacher: nn.Module | None, **more: Any
) -> SupernetTask:
    rule = Sandwich(space, more.get("randoms", 2), more.get("targets", "largest"), seed=3)
    precision = more.get("precision", "float32")
    return SupernetTask(net, teacher, rule, classes=CLASSES, precision=precision)


def test_paths_are_a_function_of_seed_and_step(
    supernet: nn.Module, space: Space, images: Tensor, labels: Tensor
) -> None:
    net = Noting(supernet)
    task = task_of(net, space, None, randoms=3)
    for step in (0, 1, 0):
        task.loss(images, labels, step)
    first, second, again = net.paths[:5], net.paths[5:10], net.paths[10:]
    assert first == again != second
    largest, smallest = Architecture.of(space.largest()), Architecture.of(space.smallest())
    assert first[:2] == second[:2] == [largest, smallest]


@pytest.mark.parametrize(
    ("targets", "taught"), [("largest", True), ("teacher", True), ("largest", False)]
)
def test_the_gradient_is_the_sum_of_the_paths_gradients(
    supernet: nn.Module,
    space: Space,
    batch: tuple[Tensor, Tensor],
    teacher: Teacher,
    targets: str,
    taught: bool,
) -> None:
    """Each path's loss and gradient on its own, written out, in a twin of the supernet."""
    images, labels = batch
    guide = teacher if taught else None
    net, twin = Noting(supernet.train()), copy.deepcopy(supernet).train()
    task = task_of(net, space, guide, targets=targets)
    loss = task.loss(images, labels, 5)
    loss.total.backward()

    taught_logits = teacher(images).logits.detach()
    with torch.no_grad():
        largest = copy.deepcopy(supernet)(images, net.paths[0]).logits
    total = 0.0
    for number, path in enumerate(net.paths):
        logits = twin(images, path).logits
        if number == 0:
            alone = F.cross_entropy(logits, labels)
            torch.testing.assert_close(loss.cross_entropy, alone.detach())
            if taught:
                soft = softened_kl(logits, taught_logits, 4.0)
                alone = 0.5 * alone + 0.5 * soft
        elif targets == "teacher" and taught:
            alone = softened_kl(logits, taught_logits, 4.0)
        else:
            alone = F.kl_div(logits.log_softmax(1), largest.softmax(1), reduction="batchmean")
        alone.backward()  # adds to what the other paths left
        total += alone.item()
    assert loss.total.item() == pytest.approx(total, rel=1e-5)
    assert len(net.paths) == 4
    for (name, found), (_, expected) in zip(
        supernet.named_parameters(), twin.named_parameters(), strict=True
    ):
        assert bool(expected.grad.any()), name
        torch.testing.assert_close(found.grad, expected.grad, rtol=1e-4, atol=1e-5)


def test_constants_are_the_documented_ones() -> None:
    assert (TEMPERATURE, TEACHER_WEIGHT) == (4.0, 0.5)


def test_one_teacher_forward_a_step_without_a_graph(
    supernet: nn.Module, space: Space, images: Tensor, labels: Tensor, teacher: Teacher
) -> None:
    for targets in ("largest", "teacher"):
        teacher.calls = 0
        task = task_of(supernet, space, teacher, targets=targets, randoms=3)
        for step in range(3):
            task.loss(images, labels, step).total.backward()
        assert teacher.calls == 3
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_the_largest_learns_nothing_from_those_who_imitate_it(
    supernet: nn.Module, space: Space, images: Tensor, labels: Tensor
) -> None:
    """Blocks that only the largest path runs have the gradient of its own loss alone."""
    supernet.train()
    own = copy.deepcopy(supernet)
    F.cross_entropy(own(images, Architecture.of(space.largest())).logits, labels).backward()
    task_of(supernet, space, None, randoms=0).loss(images, labels, 0).total.backward()
    deepest = [name for name, _ in own.named_parameters() if name.startswith("stages.2.1.")]
    assert len(deepest) == 6
    for name in deepest:
        found, expected = supernet.get_parameter(name).grad, own.get_parameter(name).grad
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_losses_leave_bf16(
    supernet: nn.Module, space: Space, images: Tensor, labels: Tensor, teacher: Teacher
) -> None:
    exact = task_of(supernet, space, teacher).loss(images, labels, 0)
    rounded = task_of(supernet, space, teacher, precision="bf16").loss(images, labels, 0)
    assert rounded.total.dtype == rounded.cross_entropy.dtype == torch.float32
    assert rounded.total.item() != exact.total.item()
    assert rounded.total.item() == pytest.approx(exact.total.item(), rel=0.1)


def test_the_module_is_the_supernet(supernet: nn.Module, space: Space) -> None:
    assert task_of(supernet, space, None).module is supernet
