import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kdsearch.losses.decoupled import decoupled_kl, non_target_kl, target_kl
from kdsearch.losses.softened import softened_kl

LABELS = torch.tensor([0, 3, 6, 9, 2, 5, 8, 1])


@pytest.fixture(scope="module")
def student(waves: Callable[..., Tensor]) -> Tensor:
    return waves((8, 10), 0.1, 2)


@pytest.fixture(scope="module")
def teacher(waves: Callable[..., Tensor]) -> Tensor:
    return waves((8, 10), 0.9, 3)


def test_by_hand() -> None:
    """Student uniform over three classes; teacher (1/2, 1/6, 1/3) with true class 0."""
    student, teacher = torch.zeros(1, 3), torch.tensor([[3.0, 1.0, 2.0]]).log()
    label = torch.tensor([0])
    target = 0.5 * math.log(0.5 / (1 / 3)) + 0.5 * math.log(0.5 / (2 / 3))
    others = 1 / 3 * math.log(2 / 3) + 2 / 3 * math.log(4 / 3)
    assert float(target_kl(student, teacher, label, 1.0)) == pytest.approx(target, rel=1e-5)
    assert float(non_target_kl(student, teacher, label, 1.0)) == pytest.approx(others, rel=1e-5)


@pytest.mark.parametrize(
    ("alpha", "beta", "value"),
    [(1.0, 8.0, 12.6445024563), (1.0, 0.0, 0.1331672908), (0.0, 1.0, 1.56391689569)],
)
def test_golden_values(
    student: Tensor, teacher: Tensor, alpha: float, beta: float, value: float
) -> None:
    """dkd_loss of megvii-research/mdistiller, mdistiller/distillers/DKD.py, at T = 4."""
    found = decoupled_kl(student, teacher, LABELS, 4.0, alpha, beta)
    assert float(found) == pytest.approx(value, rel=1e-6)


def test_golden_gradient(student: Tensor, teacher: Tensor) -> None:
    """Of mdistiller's dkd_loss at (1, 8), T = 4: its norm and first element."""
    student = student.clone().requires_grad_()
    decoupled_kl(student, teacher, LABELS, 4.0, 1.0, 8.0).backward()
    assert float(student.grad.norm()) == pytest.approx(1.739647264, rel=1e-6)
    assert float(student.grad[0, 0]) == pytest.approx(-0.0095622387, rel=1e-6)


@given(
    seed=st.integers(0, 2**31),
    classes=st.integers(2, 12),
    temperature=st.floats(0.5, 10),
)
def test_the_parts_make_up_the_whole(seed: int, classes: int, temperature: float) -> None:
    """KL = target + (1 − teacher's p of the true class) · non-target, sample by sample."""
    rng = torch.Generator().manual_seed(seed)
    student, teacher = torch.randn(2, 1, classes, generator=rng, dtype=torch.float64) * 4
    label = torch.randint(classes, (1,), generator=rng)
    others = 1 - (teacher / temperature).softmax(1)[0, label]
    parts = target_kl(student, teacher, label, temperature) + others.squeeze() * (
        non_target_kl(student, teacher, label, temperature)
    )
    whole = softened_kl(student, teacher, temperature) / temperature**2
    torch.testing.assert_close(parts, whole, rtol=1e-9, atol=1e-12)


def test_equal_logits_give_zero(student: Tensor) -> None:
    found = decoupled_kl(student, student + 3, LABELS, 4.0, 1.0, 8.0)
    assert float(found) == pytest.approx(0, abs=1e-12)


def test_two_classes_have_no_non_target_part() -> None:
    student = torch.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True)
    teacher, labels = torch.tensor([[4.0, 0.0], [1.0, 2.0]]), torch.tensor([0, 0])
    found = non_target_kl(student, teacher, labels, 4.0)
    found.backward()
    assert found.item() == 0
    assert not student.grad.any()
    assert float(target_kl(student, teacher, labels, 4.0).detach()) == pytest.approx(
        float(softened_kl(student, teacher, 4.0).detach()) / 16, rel=1e-5
    )


@pytest.mark.parametrize("sure", [100.0, 1e4])
def test_a_student_without_doubt_stays_finite(sure: float) -> None:
    """Where 1 − p is zero in float32, whether the student is right or wrong."""
    student = torch.tensor([[sure, 0.0, -1.0], [0.0, sure, 1.0]], requires_grad=True)
    teacher = torch.tensor([[0.0, 3.0, 1.0], [sure, 1.0, 2.0]])
    found = decoupled_kl(student, teacher, torch.tensor([0, 0]), 1.0, 1.0, 8.0)
    found.backward()
    assert found.detach().isfinite() and student.grad.isfinite().all()
