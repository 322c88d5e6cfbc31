"""Alpha-divergences against their definition, finite differences and hopeless logits."""

import math

import pytest
import torch
from torch import Tensor

from kdsearch.losses.alpha_divergence import adaptive_alpha_divergence, alpha_divergence

ALPHAS = (-1.0, -0.5, 0.0, 0.5, 1.0, 2.0)


@pytest.fixture
def logits() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (
        torch.randn(4, 5, generator=generator, dtype=torch.float64),
        torch.randn(4, 5, generator=generator, dtype=torch.float64),
    )


def defined(student: Tensor, teacher: Tensor, alpha: float) -> Tensor:
    """The definition, written out."""
    p, q = teacher.softmax(1), student.softmax(1)
    if alpha == 1:
        return (p * (p / q).log()).sum(1)
    if alpha == 0:
        return (q * (q / p).log()).sum(1)
    return ((q * (p / q) ** alpha).sum(1) - 1) / (alpha * (alpha - 1))


@pytest.mark.parametrize("alpha", ALPHAS)
def test_value_and_gradient_are_the_definitions(
    alpha: float, logits: tuple[Tensor, Tensor]
) -> None:
    student, teacher = logits
    found = alpha_divergence(student, teacher, alpha)
    torch.testing.assert_close(found, defined(student, teacher, alpha))
    free = student.clone().requires_grad_()
    alpha_divergence(free, teacher, alpha).sum().backward()
    assert free.grad is not None
    for row in range(4):
        for column in range(5):
            step = torch.zeros_like(student)
            step[row, column] = 1e-6
            ends = [defined(student + s * step, teacher, alpha).sum() for s in (1, -1)]
            slope = float(ends[0] - ends[1]) / 2e-6
            assert float(free.grad[row, column]) == pytest.approx(slope, abs=2e-8)


def test_known_values() -> None:
    """By hand: p = (1/2, 1/2), q = (1/4, 3/4)."""
    student = torch.tensor([[0.25, 0.75]], dtype=torch.float64).log()
    teacher = torch.zeros(1, 2, dtype=torch.float64)
    for alpha, value in {
        1.0: 0.5 * math.log(2) + 0.5 * math.log(2 / 3),
        0.0: 0.25 * math.log(0.5) + 0.75 * math.log(1.5),
        2.0: (0.25 * 4 + 0.75 * 4 / 9 - 1) / 2,
        -1.0: (0.0625 / 0.5 + 0.5625 / 0.5 - 1) / 2,
    }.items():
        assert float(alpha_divergence(student, teacher, alpha)[0]) == pytest.approx(value)


def test_the_clip_bounds_the_ratio() -> None:
    """By hand: p = (1/10, 9/10), q = (9/10, 1/10), alpha -1: ratios 9 and 1/9, 9 becomes 5."""
    teacher = torch.tensor([[0.1, 0.9]], dtype=torch.float64).log()
    student = torch.tensor([[0.9, 0.1]], dtype=torch.float64).log().requires_grad_()
    value = alpha_divergence(student, teacher, -1.0, clip=5.0)
    assert float(value.detach()[0]) == pytest.approx((0.9 * 5 + 0.1 / 9 - 1) / 2)
    value.sum().backward()
    weights = torch.tensor([-0.9 * 5, -0.1 / 9], dtype=torch.float64)
    slope = -(weights - torch.tensor([0.9, 0.1]) * weights.sum())
    torch.testing.assert_close(student.grad, slope[None])


def test_the_larger_of_two_is_taken_row_by_row(logits: tuple[Tensor, Tensor]) -> None:
    student, teacher = logits
    ends = torch.stack([alpha_divergence(student, teacher, a) for a in (-1.0, 1.0)])
    assert 0 < int((ends[0] > ends[1]).sum()) < 4  # both are taken somewhere
    found = adaptive_alpha_divergence(student, teacher, -1.0, 1.0)
    torch.testing.assert_close(found, ends.max(0).values.mean())
    same = adaptive_alpha_divergence(student, teacher, 1.0, 1.0)
    torch.testing.assert_close(same, ends[1].mean())


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("clip", [None, 5.0])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_hopeless_logits_stay_finite(
    alpha: float, clip: float | None, dtype: torch.dtype
) -> None:
    """Gaps up to 1e4, where the softmax underflows: the trainer's float32 of half inputs."""
    rows = torch.tensor([[1e4, 0.0, -1e4], [0.0, 0.0, 0.0], [-1e4, 1e4, 0.0]], dtype=dtype)
    student = rows.float().requires_grad_()
    loss = alpha_divergence(student, rows.flip(1).float(), alpha, clip)
    loss.sum().backward()
    assert bool(torch.isfinite(loss).all())
    assert student.grad is not None and bool(torch.isfinite(student.grad).all())
