import pytest
import torch

from kdsearch.losses.alignment import alignment_distance


def test_by_hand() -> None:
    """Cosines 0.6 and −1: the mean of 0.8 and 4."""
    student = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    teacher = torch.tensor([[5.0, 0.0], [0.0, -1.0]])
    assert float(alignment_distance(student, teacher)) == pytest.approx(2.4)


def test_golden_value_and_gradient(waves) -> None:
    """AlignLoss of DLKD (ifding/DLKD, helper/losses.py), its head the identity: the loss, the
    gradient's norm and first element."""
    student = waves((12, 12), 0.1).requires_grad_()
    found = alignment_distance(student, waves((12, 12), 0.9))
    found.backward()
    assert float(found.detach()) == pytest.approx(0.90112709569, rel=1e-6)
    assert float(student.grad.norm()) == pytest.approx(0.1797463372, rel=1e-6)
    assert float(student.grad[0, 0]) == pytest.approx(-0.0064954721, rel=1e-6)


def test_zero_for_equal_directions_alone(waves) -> None:
    rows = waves((6, 4), 0.1)
    stretched = rows * torch.arange(1, 7)[:, None]
    assert float(alignment_distance(stretched, rows)) == pytest.approx(0, abs=1e-9)
    assert float(alignment_distance(-rows, rows)) == pytest.approx(4)


def test_a_row_of_zeros_counts_two_and_gets_no_gradient(waves) -> None:
    student = torch.zeros(3, 4, requires_grad=True)
    found = alignment_distance(student, waves((3, 4), 0.9).float())
    found.backward()
    assert float(found.detach()) == 2
    assert student.grad.abs().sum() == 0
    assert float(alignment_distance(waves((1, 4), 0.9), torch.zeros(1, 4).double())) == 2
