import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kdsearch.losses.softened import softened_kl


@pytest.fixture(scope="module")
def student(waves: Callable[..., Tensor]) -> Tensor:
    return waves((8, 10), 0.1, 2)


@pytest.fixture(scope="module")
def teacher(waves: Callable[..., Tensor]) -> Tensor:
    return waves((8, 10), 0.9, 3)


def test_by_hand() -> None:
    """Two classes: teacher (3/4, 1/4) at T = 2, student (1/2, 1/2): 4 · KL in closed form."""
    teacher = torch.tensor([[2 * math.log(3.0), 0.0]])
    divergence = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert float(softened_kl(torch.zeros(1, 2), teacher, 2.0)) == pytest.approx(4 * divergence)


@pytest.mark.parametrize(
    ("temperature", "value"), [(4.0, 1.52902613426), (1.0, 0.839682505929)]
)
def test_golden_values(
    student: Tensor, teacher: Tensor, temperature: float, value: float
) -> None:
    """kd_loss of mdistiller (mdistiller/distillers/KD.py) and DistillKL of RepDistiller
    (distiller_zoo/KD.py), which agree, on the same inputs in float64."""
    found = softened_kl(student, teacher, temperature)
    assert float(found) == pytest.approx(value, rel=1e-6)


def test_golden_gradient(student: Tensor, teacher: Tensor) -> None:
    """Of mdistiller's kd_loss at T = 4 on the same inputs: its norm and first element."""
    student = student.clone().requires_grad_()
    softened_kl(student, teacher, 4.0).backward()
    assert float(student.grad.norm()) == pytest.approx(0.2019206006, rel=1e-6)
    assert float(student.grad[0, 0]) == pytest.approx(-0.0095622387, rel=1e-6)


def test_it_is_a_mean_over_the_batch(student: Tensor, teacher: Tensor) -> None:
    single = torch.stack(
        [softened_kl(student[i : i + 1], teacher[i : i + 1], 4.0) for i in range(8)]
    )
    torch.testing.assert_close(softened_kl(student, teacher, 4.0), single.mean())


def test_it_is_zero_for_equal_softmaxes_alone(student: Tensor, teacher: Tensor) -> None:
    assert float(softened_kl(student, student + 3, 4.0)) == pytest.approx(0, abs=1e-12)
    assert float(softened_kl(student, teacher, 4.0)) > 1
    assert float(softened_kl(teacher, student, 4.0)) != pytest.approx(
        float(softened_kl(student, teacher, 4.0)), rel=0.01
    )


def test_the_gradient_keeps_its_size_at_high_temperatures(
    student: Tensor, teacher: Tensor
) -> None:
    """For T much larger than the logits it tends to (student - teacher) / classes, centred
    (the paper, eq. 4)."""
    difference = student - teacher
    student = student.clone().requires_grad_()
    softened_kl(student, teacher, 1000.0).backward()
    limit = (difference - difference.mean(1, keepdim=True)) / 10 / 8
    torch.testing.assert_close(student.grad, limit, rtol=0.02, atol=1e-4)


def test_it_is_computed_in_the_kind_given(student: Tensor, teacher: Tensor) -> None:
    exact = softened_kl(student, teacher, 4.0)
    found = softened_kl(student.float(), teacher.float(), 4.0)
    assert (exact.dtype, found.dtype) == (torch.float64, torch.float32)
    assert float(found) == pytest.approx(float(exact), rel=1e-5)
