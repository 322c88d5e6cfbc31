from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kdsearch.losses.similarity import similarities, similarity_distance


def test_similarities_by_hand() -> None:
    found = similarities(torch.tensor([[1.0, 0.0], [3.0, 4.0]]))
    lengths = torch.tensor([[10.0**0.5], [(9.0 + 625.0) ** 0.5]])
    torch.testing.assert_close(found, torch.tensor([[1.0, 3.0], [3.0, 25.0]]) / lengths)


def test_golden_value_of_maps(waves: Callable[..., Tensor]) -> None:
    """sp_loss of megvii-research/mdistiller, mdistiller/distillers/SP.py; of its gradient the
    norm and the first element."""
    student, teacher = waves((8, 6, 8, 8), 0.1).requires_grad_(), waves((8, 5, 4, 4), 0.9)
    loss = similarity_distance(student.flatten(1), teacher.flatten(1))
    loss.backward()
    assert loss.item() == pytest.approx(0.227683480685, rel=1e-6)
    assert float(student.grad.norm()) == pytest.approx(0.002620045508, rel=1e-6)
    assert float(student.grad.flatten()[0]) == pytest.approx(2.1332993e-05, rel=1e-6)


def test_golden_value_of_rows(waves: Callable[..., Tensor]) -> None:
    """The same sp_loss on (8, 12) and (8, 16)."""
    found = similarity_distance(waves((8, 12), 0.1), waves((8, 16), 0.9))
    assert float(found) == pytest.approx(0.222039922993, rel=1e-6)


@given(seed=st.integers(0, 2**31), scale=st.floats(0.01, 100))
def test_turned_and_scaled_rows_are_the_same(
    waves: Callable[..., Tensor], seed: int, scale: float
) -> None:
    student, teacher = waves((8, 12), 0.1), waves((8, 16), 0.9)
    rng = torch.Generator().manual_seed(seed)
    turn, _ = torch.linalg.qr(torch.randn(12, 12, generator=rng, dtype=torch.float64))
    turned = scale * student @ turn
    torch.testing.assert_close(
        similarity_distance(turned, teacher), similarity_distance(student, teacher)
    )
    assert float(similarity_distance(turned, student)) == pytest.approx(0, abs=1e-12)


def test_zeros_are_similar_to_none() -> None:
    student = torch.tensor([[0.0, 0.0], [1.0, 2.0]], requires_grad=True)
    found = similarity_distance(student, torch.tensor([[1.0], [1.0]]))
    found.backward()
    expected = (2 * 0.5 + 0.5 + (1 - 0.5**0.5) ** 2) / 4
    assert found.item() == pytest.approx(expected, rel=1e-5)
    assert not student.grad[0].isnan().any() and student.grad.isfinite().all()


def test_a_sample_alone_is_like_itself() -> None:
    student = torch.tensor([[1.0, 2.0]], requires_grad=True)
    found = similarity_distance(student, torch.tensor([[3.0]]))
    found.backward()
    assert found.item() == 0
    assert not student.grad.any()


def test_batches_of_zeros_stay_finite() -> None:
    student = torch.zeros(3, 4, requires_grad=True)
    found = similarity_distance(student, torch.ones(3, 2))
    found.backward()
    assert found.item() == pytest.approx(1 / 3, rel=1e-5)
    assert not student.grad.any()
