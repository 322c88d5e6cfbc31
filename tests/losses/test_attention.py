from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kdsearch.losses.attention import attention, attention_distance


def test_attention_by_hand() -> None:
    """Places with mean squares 3 and 4: (0.6, 0.8)."""
    features = torch.tensor([[[[1.0, 2.0]], [[5.0**0.5, -2.0]]]])
    torch.testing.assert_close(attention(features), torch.tensor([[0.6, 0.8]]))


@pytest.mark.parametrize(
    ("shape", "value"),
    [((8, 5, 4, 4), 0.00710904519079), ((8, 6, 8, 8), 0.000345286578493)],
)
def test_golden_values(
    waves: Callable[..., Tensor], shape: tuple[int, ...], value: float
) -> None:
    """at_loss of megvii-research/mdistiller, mdistiller/distillers/AT.py, p = 2: a student of
    8 × 8 and a teacher of 4 × 4 and of 8 × 8."""
    student, teacher = waves((8, 6, 8, 8), 0.1), waves(shape, 0.9)
    assert float(attention_distance(student, teacher)) == pytest.approx(value, rel=1e-6)


def test_golden_gradient(waves: Callable[..., Tensor]) -> None:
    """Of at_loss with the teacher of 4 × 4: its norm and first element."""
    student, teacher = waves((8, 6, 8, 8), 0.1).requires_grad_(), waves((8, 5, 4, 4), 0.9)
    attention_distance(student, teacher).backward()
    assert float(student.grad.norm()) == pytest.approx(0.007194771838, rel=1e-6)
    assert float(student.grad.flatten()[0]) == pytest.approx(6.6574574e-05, rel=1e-6)


def test_either_may_be_the_larger(waves: Callable[..., Tensor]) -> None:
    small, wide = waves((2, 5, 4, 6), 0.9), waves((2, 3, 8, 3), 0.1)
    found = attention_distance(small, wide)
    torch.testing.assert_close(found, attention_distance(wide, small))
    pooled = torch.nn.functional.adaptive_avg_pool2d
    torch.testing.assert_close(
        found, attention_distance(pooled(small, (4, 3)), pooled(wide, (4, 3)))
    )


def test_what_does_not_count(waves: Callable[..., Tensor]) -> None:
    """Scale, sign and order of the channels."""
    features = waves((4, 6, 8, 8), 0.1)
    assert float(attention_distance(features, -3 * features.flip(1))) == pytest.approx(
        0, abs=1e-12
    )


@pytest.mark.parametrize("batch", [1, 4])
def test_a_map_of_zeros_attends_to_nothing(waves: Callable[..., Tensor], batch: int) -> None:
    """1 / places per sample, the square of the teacher's length over its places."""
    student = torch.zeros(batch, 6, 8, 8, requires_grad=True)
    found = attention_distance(student, waves((batch, 5, 4, 4), 0.9).float())
    found.backward()
    assert found.item() == pytest.approx(1 / 16, rel=1e-5)
    assert not student.grad.any()
