"""Every method of the table teaches a network of a family and one that somebody brought."""

import copy
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.space import Point
from kdsearch.data.augment import normalise
from kdsearch.distill import METHODS
from kdsearch.distill.kinds import kind
from kdsearch.distill.method import Said
from kdsearch.errors import UserError
from kdsearch.measure.accuracy import predict, top1
from kdsearch.output import single
from kdsearch.training.checkpoint import Progressed
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.feed import Feed
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch

Student = Callable[[int], nn.Module]
Teach = Callable[..., Distillation]

PLAN = Plan(steps=40, batch_size=16, learning_rate=0.05, weight_decay=0.0, seed=3)

every_method = pytest.mark.parametrize("name", METHODS)


def batches(task: Distillation, feed: Feed, *steps: int) -> Iterator[Batch]:
    for step in steps:
        yield from feed.batches(PLAN, task.shows, step, step + 1)


def accuracy(network: nn.Module, feed: Feed) -> float:
    images = normalise(feed.split.images, feed.info.mean, feed.info.std)
    return top1(predict(network, images, 90), feed.split.labels)


@every_method
def test_a_student_learns(
    name: str,
    student: Student,
    teach: Teach,
    patterns: Feed,
    trained: Callable[..., Progressed],
    tmp_path: Path,
) -> None:
    """Twice as often right as by chance, after 40 steps, and so is a teacher that learns
    beside it; the loss falls."""
    task = teach(name, student(0))
    done = trained(task, tmp_path / "run", 40)
    losses = [loss for _, loss in done.curve]
    assert sum(losses[-5:]) < sum(losses[:5])
    learners = task.learners
    networks = [learners.student] + ([learners.online.network] if learners.online else [])
    assert all(accuracy(network, patterns) > 0.5 for network in networks)


def drawn(name: str, teach: Teach, student: nn.Module) -> Point:
    """Values of all knobs and options that suit the student."""
    rng = random.Random(0)
    while True:
        point = kind(name).allowed.draw(rng)
        try:
            teach(name, student, **point)
        except UserError:
            continue
        return point


@every_method
@pytest.mark.parametrize("usual", [True, False])
def test_a_killed_lesson_goes_on_to_the_last_bit(
    name: str,
    usual: bool,
    teach: Teach,
    family_student: Student,
    resumes: Callable[..., None],
) -> None:
    """With the defaults, and with other values of everything."""
    point = {} if usual else drawn(name, teach, family_student(0))
    resumes(lambda seed: teach(name, family_student(seed), **point))


@every_method
def test_gradients_reach_what_learns_and_nothing_else(
    name: str, student: Student, teacher: nn.Module, patterns: Feed
) -> None:
    """All of the student, all of the method's modules, nothing of the frozen teacher."""
    method = METHODS[name]()
    guide = copy.deepcopy(teacher).requires_grad_(True).eval()
    task = Distillation(
        Lesson(student(0), method, guide), patterns.sample(16), precision="float32", seed=0
    )
    learns = {**dict(task.learners.student.named_parameters(prefix="student"))}
    learns |= dict(task.learners.parts.named_parameters(prefix="parts"))
    reached: set[str] = set()
    for batch in batches(task, patterns, 0, 1, 7):
        next(task.losses(batch)).total.backward()
        reached |= {n for n, p in learns.items() if p.grad is not None and bool(p.grad.any())}
    assert reached == {n for n, p in learns.items() if p.requires_grad}
    assert all(parameter.grad is None for parameter in guide.parameters())


@pytest.mark.parametrize("name", [n for n, m in METHODS.items() if m().needs.online])
def test_a_teacher_that_learns_learns_from_the_labels_alone(
    name: str, teach: Teach, family_student: Student, patterns: Feed
) -> None:
    """Its gradients in the whole loss are those of its own; none of the student's crosses."""
    task = teach(name, family_student(0))
    online = task.learners.online
    assert online is not None
    (batch,) = batches(task, patterns, 0)
    weights = [p for p in online.parameters() if p.requires_grad]
    whole = torch.autograd.grad(next(task.losses(batch)).total, weights, allow_unused=True)
    said = Said(single(online(batch.images, batch.progress)), online.parts)
    alone = online.rule.loss(said, batch.labels)
    own = torch.autograd.grad(alone, weights, allow_unused=True)
    assert any(gradient is not None for gradient in own)
    for found, expected in zip(whole, own, strict=True):
        assert (found is None) == (expected is None)
        if found is not None:
            torch.testing.assert_close(found, expected)


@every_method
def test_what_ships_is_the_student_as_it_was(
    name: str, student: Student, teach: Teach, patterns: Feed
) -> None:
    """Without the method's modules its logits are the same to the last bit."""
    task = teach(name, student(0))
    network = task.shipped(dict(task.learners.named_parameters()))
    images = normalise(patterns.split.images, patterns.info.mean, patterns.info.std)
    logits = predict(network, images, 90)
    if task.method.needs.deploy is not None:
        assert logits.shape == (90, 4)
        return
    assert torch.equal(logits, predict(task.learners.student, images, 90))
    names = [name for name, _ in task.learners.student.named_parameters()]
    assert [name for name, _ in network.named_parameters()] == names


@every_method
def test_losses_are_in_float32_when_networks_run_in_bf16(
    name: str, teach: Teach, family_student: Student, patterns: Feed
) -> None:
    losses: list[Tensor] = []
    for precision in ("float32", "bf16"):
        task = teach(name, family_student(0), precision)
        (batch,) = batches(task, patterns, 0)
        losses.append(next(task.losses(batch)).total)
    exact, rounded = losses
    assert rounded.shape == () and rounded.dtype == torch.float32
    rounded.backward()
    gradients = [p.grad for p in task.learners.student.parameters()]
    assert all(g is not None and bool(torch.isfinite(g).all()) for g in gradients)
    assert rounded.item() == pytest.approx(exact.item(), rel=0.1)


@every_method
def test_the_same_seed_is_the_same_lesson(
    name: str, teach: Teach, family_student: Student, patterns: Feed
) -> None:
    """Modules are drawn from the lesson's seed, not from torch's global state."""
    states = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        states.append(teach(name, family_student(0)).learners.state_dict())
        assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())


def test_every_method_has_a_kind() -> None:
    assert {name: kind(name).make for name in METHODS} == dict(METHODS)
