"""Every method of the table on what numbers break on: few images, zeros, extremes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from kdsearch.distill import METHODS
from kdsearch.output import Output, each

Scenes = Callable[..., Any]

every_method = pytest.mark.parametrize("name", METHODS)


def assert_finite(loss: Tensor, gradients: list[Tensor]) -> None:
    assert bool(torch.isfinite(loss)), loss
    assert all(bool(torch.isfinite(g).all()) for g in gradients)


@every_method
@pytest.mark.parametrize(("batch", "classes"), [(1, 4), (1, 2), (2, 2), (6, 2)])
def test_few_images_and_two_classes(name: str, batch: int, classes: int, scene: Scenes) -> None:
    built = scene(METHODS[name](), classes, batch)
    for opens in (True, False):
        student = built.student()
        assert_finite(*built.told(built.seen(student)._replace(opens_epoch=opens), student))


@every_method
def test_batches_of_several_sizes(name: str, scene: Scenes) -> None:
    built = scene(METHODS[name]())
    for batch in (6, 3, 3, 1, 6):
        built.batch = batch
        student = built.student()
        assert_finite(*built.told(built.seen(student)._replace(opens_epoch=False), student))


def dead(out: Output, rows: slice) -> Output:
    """Some rows of everything at zero: an image that says nothing."""

    def zeroed(tensor: Tensor) -> Tensor:
        changed = tensor.detach().clone()
        changed[rows] = 0.0
        return changed.requires_grad_()

    return each(out, zeroed)


@every_method
@pytest.mark.parametrize("whose", ["student", "teacher", "both"])
@pytest.mark.parametrize("rows", [slice(0, 1), slice(None)], ids=["one", "all"])
def test_rows_of_zeros(name: str, whose: str, rows: slice, scene: Scenes) -> None:
    built = scene(METHODS[name]())
    student, teacher = built.student(), built.teacher()
    student = dead(student, rows) if whose != "teacher" else student
    teacher = dead(teacher, rows) if whose != "student" else teacher
    for opens in (True, False):
        seen = built.seen(student, teacher)._replace(opens_epoch=opens)
        assert_finite(*built.told(seen, student))


@every_method
def test_rows_all_alike(name: str, scene: Scenes) -> None:
    """Distances of 0, no spread over the batch."""

    def alike(out: Output) -> Output:
        return each(out, lambda t: t[:1].detach().expand_as(t).clone().requires_grad_())

    built = scene(METHODS[name]())
    student = alike(built.student())
    assert_finite(*built.told(built.seen(student, alike(built.teacher())), student))


@every_method
@pytest.mark.parametrize("size", [1e4, 1e30])
@pytest.mark.parametrize("agree", [True, False])
def test_extreme_logits_give_no_nan(name: str, size: float, agree: bool, scene: Scenes) -> None:
    built = scene(METHODS[name]())
    right = size * F.one_hot(torch.arange(built.rows) % built.classes, built.classes)
    logits = (right if agree else right.roll(1, dims=1)).clone().requires_grad_()
    student = built.student()._replace(logits=logits)
    teacher = built.teacher()._replace(logits=right.clone().requires_grad_())
    for opens in (True, False):
        seen = built.seen(student, teacher)._replace(opens_epoch=opens)
        loss, gradients = built.told(seen, student)
        assert not bool(torch.isnan(loss))
        assert not any(bool(torch.isnan(g).any()) for g in gradients)


@every_method
def test_the_order_of_a_batch_does_not_matter(
    name: str, scene: Scenes, reordered: Callable[[Output, Tensor], Output]
) -> None:
    """Nothing is remembered on a first step; every view's rows are ordered alike."""
    built = scene(METHODS[name]())
    student, teacher, order = built.student(), built.teacher(), torch.tensor([3, 0, 5, 1, 4, 2])
    usual = built.seen(student, teacher)
    other = built.seen(reordered(student, order), reordered(teacher, order))
    other = other._replace(labels=usual.labels[order], indices=usual.indices[order])
    torch.testing.assert_close(built.method(other), built.method(usual))


def different(teacher: Output) -> Output:
    """As good as the teacher for the labels, but with the wrong classes in another order and
    features of its own."""
    logits = teacher.logits.detach().clone()
    for row in range(len(logits)):
        wrong = [c for c in range(logits.shape[1]) if c != row % logits.shape[1]]
        logits[row, wrong] = logits[row, wrong].roll(1)
    generator = torch.Generator().manual_seed(0)
    others = each(teacher, lambda t: torch.randn(t.shape, generator=generator))
    return others._replace(logits=logits)


@pytest.mark.parametrize(
    "name", [n for n, m in METHODS.items() if m().needs.teacher and m().needs.parts is None]
)
def test_who_says_what_the_teacher_says_has_the_smaller_loss(name: str, scene: Scenes) -> None:
    """Where nothing that is drawn stands between them; the labels' share is the same."""
    built = scene(METHODS[name]())
    teacher = built.teacher(3, width=4)
    equal, other = (
        built.method(built.seen(one, teacher)).item() for one in (teacher, different(teacher))
    )
    assert equal < other - 1e-5
