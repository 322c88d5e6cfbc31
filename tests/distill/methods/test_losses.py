"""One suite for every method of the table: knobs, precision, small batches, extreme logits."""

import inspect
import random

import pytest
import torch
from torch import Tensor

from kdsearch.distill import METHODS
from kdsearch.distill.method import Method
from kdsearch.output import Output

CLASSES = 7
every_method = pytest.mark.parametrize("name", METHODS)


def output(seed: int, width: int, batch: int = 6, kind: torch.dtype = torch.float32) -> Output:
    """Random logits, three feature maps of `width` channels and more, and pooled features."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).to(kind).requires_grad_()

    feats = tuple(normal(batch, width << s, 8 >> s, 8 >> s) for s in range(3))
    return Output(3 * normal(batch, CLASSES), feats, normal(batch, width << 2))


def labels(batch: int = 6) -> Tensor:
    return torch.arange(batch) % CLASSES


def told(method: Method, student: Output, teacher: Output) -> Tensor:
    """The loss, with a frozen teacher where the method asks for one."""
    guide = Output(
        teacher.logits.detach(),
        tuple(f.detach() for f in teacher.feats),
        teacher.pooled.detach(),
    )
    return method(student, guide if method.needs_teacher else None, labels(len(student.logits)))


def test_the_table_names_each_method_by_its_name() -> None:
    assert set(METHODS) >= {"hard", "soften"}
    assert all(method.name == name for name, method in METHODS.items())


@every_method
def test_defaults_lie_in_the_knobs_ranges(name: str) -> None:
    knobs = METHODS[name].knobs
    parameters = inspect.signature(METHODS[name]).parameters
    METHODS[name].knobs.check({knob: parameters[knob].default for knob in knobs.axes})
    assert {n for n, p in parameters.items() if p.kind is not p.VAR_KEYWORD} == set(knobs.axes)


@every_method
def test_drawn_knobs_give_finite_losses_and_gradients(name: str) -> None:
    rng = random.Random(0)
    for seed in range(5):
        student, teacher = output(seed, 4), output(seed + 100, 8)
        knobs = METHODS[name].knobs.draw(rng)
        loss = told(METHODS[name](**knobs), student, teacher)
        assert loss.shape == () and loss.dtype == torch.float32
        (grad,) = torch.autograd.grad(loss, student.logits)
        assert bool(torch.isfinite(loss)) and bool(torch.isfinite(grad).all())
        assert bool(grad.any())


@every_method
def test_every_knob_matters(name: str) -> None:
    method, student, teacher = METHODS[name], output(0, 4), output(1, 8)
    usual = told(method(), student, teacher)
    for knob, axis in method.knobs.axes.items():
        rng = random.Random(0)
        drawn = [told(method(**{knob: axis.draw(rng)}), student, teacher) for _ in range(3)]
        assert any(not torch.equal(loss, usual) for loss in drawn), knob


@every_method
def test_who_equals_a_right_teacher_has_the_smaller_loss(name: str) -> None:
    right = torch.nn.functional.one_hot(labels(), CLASSES) * 6.0
    teacher = output(1, 4)._replace(logits=right)
    equal, other = (told(METHODS[name](), one, teacher) for one in (teacher, output(0, 4)))
    assert equal.item() < 0.5 * other.item()


@every_method
def test_bf16_inputs_give_a_float32_loss(name: str) -> None:
    student, teacher = output(0, 4, kind=torch.bfloat16), output(1, 8, kind=torch.bfloat16)
    loss = told(METHODS[name](), student, teacher)
    assert loss.dtype == torch.float32 and bool(torch.isfinite(loss))


@every_method
def test_one_image_is_a_batch(name: str) -> None:
    student, teacher = output(0, 4, batch=1), output(1, 8, batch=1)
    loss = told(METHODS[name](), student, teacher)
    (grad,) = torch.autograd.grad(loss, student.logits)
    assert bool(torch.isfinite(loss)) and bool(torch.isfinite(grad).all())


@every_method
@pytest.mark.parametrize("size", [1e4, 1e30])
@pytest.mark.parametrize("agree", [True, False])
def test_extreme_logits_give_no_nan(name: str, size: float, agree: bool) -> None:
    one_hot = torch.nn.functional.one_hot(labels(), CLASSES) * size
    logits = (one_hot if agree else one_hot.roll(1, dims=1)).requires_grad_()
    student = output(0, 4)._replace(logits=logits)
    loss = told(METHODS[name](), student, output(1, 8)._replace(logits=one_hot))
    (grad,) = torch.autograd.grad(loss, logits)
    assert not bool(torch.isnan(loss)) and not bool(torch.isnan(grad).any())


@every_method
def test_the_order_of_a_batch_does_not_matter(name: str) -> None:
    student, teacher = output(0, 4), output(1, 8)
    order = torch.tensor([3, 0, 5, 1, 4, 2])

    def reordered(out: Output) -> Output:
        return Output(out.logits[order], tuple(f[order] for f in out.feats), out.pooled[order])

    method = METHODS[name]()
    guides = (teacher, reordered(teacher)) if method.needs_teacher else (None, None)
    usual = method(student, guides[0], labels())
    other = method(reordered(student), guides[1], labels()[order])
    torch.testing.assert_close(other, usual)
