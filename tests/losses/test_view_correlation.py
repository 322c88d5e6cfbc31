import math

import pytest
import torch
from torch import Tensor

from kdsearch.losses.view_correlation import view_correlation_kl


def by_view(rows: Tensor, views: int) -> Tensor:
    """From image by image, as in the authors' code, to view by view."""
    return rows.view(-1, views, rows.shape[1]).transpose(0, 1).reshape(rows.shape)


def test_golden_value_and_gradient(waves) -> None:
    """CorrLoss(0.5) of DLKD (ifding/DLKD, helper/losses.py), its head the identity, 3 images in
    4 views: the loss, the gradient's norm and first element. Its rows go image by image."""
    student = waves((12, 12), 0.1).requires_grad_()
    found = view_correlation_kl(by_view(student, 4), by_view(waves((12, 12), 0.9), 4), 4)
    found.backward()
    assert float(found.detach()) == pytest.approx(0.0108428281298, rel=1e-6)
    assert float(student.grad.norm()) == pytest.approx(0.03980004234, rel=1e-6)
    assert float(student.grad[0, 0]) == pytest.approx(0.0052169022, rel=1e-6)


def test_two_views_by_hand() -> None:
    """Two images along the axes. The second views lie, for the teacher, on their own images,
    for the student half-way: rows (e, 1) / (e + 1) at temperature 1 against (1/2, 1/2)."""
    upright = torch.eye(2, dtype=torch.float64)
    teacher, student = torch.cat([upright, upright]), torch.cat([upright, torch.ones(2, 2)])
    share = math.e / (math.e + 1)
    expected = share * math.log(2 * share) + (1 - share) * math.log(2 * (1 - share))
    found = view_correlation_kl(student, teacher, 2, temperature=1.0)
    assert float(found) == pytest.approx(expected)


def test_one_view_by_hand() -> None:
    """The teacher's third image is the first again: cosines to the others (0, 1), (0, 0) and
    (1, 0); the student's three are all at right angles."""
    teacher = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]], dtype=torch.float64)
    share = math.e / (math.e + 1)
    row = share * math.log(2 * share) + (1 - share) * math.log(2 * (1 - share))
    found = view_correlation_kl(torch.eye(3).double(), teacher, 1, temperature=1.0)
    assert float(found) == pytest.approx(2 / 3 * row)


@pytest.mark.parametrize("views", [1, 2, 4])
def test_zero_for_the_same_cosines_alone(waves, views: int) -> None:
    student, teacher = waves((12, 7), 0.1), waves((12, 5), 0.9)
    assert float(view_correlation_kl(3 * student, student, views)) == pytest.approx(
        0, abs=1e-12
    )
    assert float(view_correlation_kl(student, teacher, views)) > 1e-3


@pytest.mark.parametrize("views", [1, 2, 4])
def test_the_order_of_the_images_does_not_matter(waves, views: int) -> None:
    student, teacher = waves((12, 7), 0.1), waves((12, 5), 0.9)
    order = torch.randperm(12 // views, generator=torch.Generator().manual_seed(1))
    rows = (torch.arange(views)[:, None] * (12 // views) + order).flatten()
    torch.testing.assert_close(
        view_correlation_kl(student[rows], teacher[rows], views),
        view_correlation_kl(student, teacher, views),
    )


@pytest.mark.parametrize("views", [1, 2, 4])
def test_one_image_gives_zero(waves, views: int) -> None:
    student = waves((views, 6), 0.1).requires_grad_()
    found = view_correlation_kl(student, waves((views, 6), 0.9), views)
    found.backward()
    assert float(found.detach()) == 0
    assert student.grad.abs().sum() == 0


@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_rows_of_zeros_and_equal_rows_are_defined(waves, value: float, views: int) -> None:
    student = torch.full((4, 6), value, requires_grad=True)
    found = view_correlation_kl(student, waves((4, 6), 0.9).float(), views)
    found.backward()
    assert found.isfinite() and student.grad.isfinite().all()
