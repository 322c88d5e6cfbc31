import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kdsearch.losses.relational import angle_distance, distance_distance

Distance = Callable[[Tensor, Tensor], Tensor]
BOTH = pytest.mark.parametrize("distance", [distance_distance, angle_distance])


@pytest.fixture(scope="module")
def student(waves: Callable[..., Tensor]) -> Tensor:
    return waves((8, 12), 0.1)


@pytest.fixture(scope="module")
def teacher(waves: Callable[..., Tensor]) -> Tensor:
    return waves((8, 16), 0.9)


def test_distances_by_hand() -> None:
    """3, 4, 5 over their mean 4 against three equal distances: two pairs differ by 1/4."""
    student = torch.tensor([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    teacher = torch.tensor([[0.0, 0.0], [2.0, 0.0], [1.0, math.sqrt(3)]])
    expected = 4 * 0.5 * 0.25**2 / 9
    assert float(distance_distance(student, teacher)) == pytest.approx(expected, rel=1e-5)


def test_angles_by_hand() -> None:
    """Corners of cosine 0.6, 0, 0.8 against 1/2, each twice among 27 triples."""
    student = torch.tensor([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    teacher = torch.tensor([[0.0, 0.0], [2.0, 0.0], [1.0, math.sqrt(3)]])
    expected = 2 * 0.5 * (0.1**2 + 0.5**2 + 0.3**2) / 27
    assert float(angle_distance(student, teacher)) == pytest.approx(expected, rel=1e-5)


def test_golden_values(student: Tensor, teacher: Tensor) -> None:
    """rkd_loss of megvii-research/mdistiller, mdistiller/distillers/RKD.py: weights (1, 0),
    (0, 1) and (25, 50)."""
    distance = float(distance_distance(student, teacher))
    angle = float(angle_distance(student, teacher))
    assert distance == pytest.approx(0.0998840356971, rel=1e-6)
    assert angle == pytest.approx(0.127771310496, rel=1e-6)
    assert 25 * distance + 50 * angle == pytest.approx(8.88566641724, rel=1e-6)


def test_golden_gradient(student: Tensor, teacher: Tensor) -> None:
    """Of rkd_loss with weights (25, 50): its norm and first element."""
    rows = student.clone().requires_grad_()
    (25 * distance_distance(rows, teacher) + 50 * angle_distance(rows, teacher)).backward()
    assert float(rows.grad.norm()) == pytest.approx(1.651484259, rel=1e-6)
    assert float(rows.grad[0, 0]) == pytest.approx(-0.19902996, rel=1e-6)


@BOTH
@given(seed=st.integers(0, 2**31), scale=st.floats(0.01, 100))
def test_moved_turned_and_scaled_rows_are_the_same(
    distance: Distance, waves: Callable[..., Tensor], seed: int, scale: float
) -> None:
    student, teacher = waves((8, 12), 0.1), waves((8, 16), 0.9)
    rng = torch.Generator().manual_seed(seed)
    turn, _ = torch.linalg.qr(torch.randn(12, 12, generator=rng, dtype=torch.float64))
    moved = scale * (student @ turn + torch.randn(12, generator=rng, dtype=torch.float64))
    torch.testing.assert_close(distance(moved, teacher), distance(student, teacher))
    assert float(distance(moved, student)) == pytest.approx(0, abs=1e-12)


@BOTH
def test_the_order_of_the_samples_does_not_count(
    distance: Distance, student: Tensor, teacher: Tensor
) -> None:
    order = torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    torch.testing.assert_close(
        distance(student[order], teacher[order]), distance(student, teacher)
    )


def test_a_limit_counts_the_first_rows(student: Tensor, teacher: Tensor) -> None:
    torch.testing.assert_close(
        angle_distance(student, teacher, limit=5), angle_distance(student[:5], teacher[:5])
    )


@BOTH
def test_a_sample_alone_gives_zero(distance: Distance) -> None:
    student = torch.tensor([[1.0, 2.0]], requires_grad=True)
    found = distance(student, torch.tensor([[3.0, 1.0, 2.0]]))
    found.backward()
    assert found.item() == 0
    assert not student.grad.any()


@BOTH
@pytest.mark.parametrize("value", [0.0, 0.1, 1000.3])
def test_equal_samples_have_no_gradient(
    distance: Distance, teacher: Tensor, value: float
) -> None:
    student = torch.full((8, 12), value, requires_grad=True)
    found = distance(student, teacher.float())
    found.backward()
    assert found.item() > 0
    assert not student.grad.any()


@BOTH
def test_a_pair_of_equal_samples_stays_finite(
    distance: Distance, student: Tensor, teacher: Tensor
) -> None:
    rows = student.float()
    rows[1] = rows[0]
    rows.requires_grad_()
    found = distance(rows, teacher.float())
    found.backward()
    assert found.detach().isfinite()
    assert float(rows.grad.norm()) < 10


def test_a_teacher_of_equal_samples_is_defined(student: Tensor) -> None:
    found = distance_distance(student, torch.ones(8, 3, dtype=torch.float64))
    assert 0 < float(found) < 1
