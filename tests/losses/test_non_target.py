import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kdsearch.losses.non_target import normalized_kd

LABELS = torch.tensor([0, 3, 6, 9, 2, 5, 8, 1])


def test_by_hand() -> None:
    """Student uniform over three classes, so its others are (1/2, 1/2); T² = 4, gamma 2."""
    teacher = torch.tensor([[3.0, 1.0, 2.0]]).log()
    found = normalized_kd(torch.zeros(1, 3), teacher, torch.tensor([0]), 2.0, 2.0)
    assert float(found) == pytest.approx(0.5 * math.log(3) + 8 * math.log(2), rel=1e-5)


@pytest.mark.parametrize(
    ("temperature", "gamma", "value"), [(1.0, 1.5, 3.06197911503), (3.0, 3.5, 66.9845493062)]
)
def test_golden_values(
    waves: Callable[..., Tensor], temperature: float, gamma: float, value: float
) -> None:
    """NKDLoss of yzd-v/cls_KD, mmcls/models/dis_losses/nkd.py."""
    student, teacher = waves((8, 10), 0.1, 2), waves((8, 10), 0.9, 3)
    found = normalized_kd(student, teacher, LABELS, temperature, gamma)
    assert float(found) == pytest.approx(value, rel=1e-6)


def test_golden_gradient(waves: Callable[..., Tensor]) -> None:
    """Of NKDLoss at T = 1, gamma 1.5: its norm and first element."""
    student, teacher = waves((8, 10), 0.1, 2).requires_grad_(), waves((8, 10), 0.9, 3)
    normalized_kd(student, teacher, LABELS, 1.0, 1.5).backward()
    assert float(student.grad.norm()) == pytest.approx(0.2775275435, rel=1e-6)
    assert float(student.grad[0, 0]) == pytest.approx(-0.007758256, rel=1e-6)


def test_two_classes_leave_the_true_one() -> None:
    student = torch.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True)
    teacher, labels = torch.tensor([[4.0, 0.0], [1.0, 2.0]]), torch.tensor([0, 0])
    found = normalized_kd(student, teacher, labels, 4.0, 3.0)
    chance = teacher.softmax(1)[:, 0]
    expected = -(chance * student.log_softmax(1)[:, 0]).mean()
    torch.testing.assert_close(found, expected)
    found.backward()
    assert student.grad.isfinite().all()


def test_a_student_without_doubt_stays_finite() -> None:
    student = torch.tensor([[1e4, 0.0, -1e4], [0.0, 1e4, 1.0]], requires_grad=True)
    teacher = torch.tensor([[0.0, 3.0, 1.0], [1e4, 1.0, 2.0]])
    found = normalized_kd(student, teacher, torch.tensor([0, 0]), 1.0, 1.5)
    found.backward()
    assert found.detach().isfinite() and student.grad.isfinite().all()
