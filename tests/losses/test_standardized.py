from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kdsearch.losses.decoupled import decoupled_kl
from kdsearch.losses.softened import softened_kl
from kdsearch.losses.standardized import standardized

LABELS = torch.tensor([0, 3, 6, 9, 2, 5, 8, 1])


def test_by_hand() -> None:
    """The deviation is the sample's: of (1, 2, 3) it is 1; of (0, 4) it is √8."""
    found = standardized(torch.tensor([[1.0, 2.0, 3.0]]))
    torch.testing.assert_close(found, torch.tensor([[-1.0, 0.0, 1.0]]))
    found = standardized(torch.tensor([[0.0, 4.0]]))
    torch.testing.assert_close(found, torch.tensor([[-(0.5**0.5), 0.5**0.5]]))


def test_golden_value_and_gradient(waves: Callable[..., Tensor]) -> None:
    """kd_loss of sunshangquan/logit-standardization-KD, mdistiller/distillers/KD.py, T = 2."""
    student, teacher = waves((8, 10), 0.1, 2).requires_grad_(), waves((8, 10), 0.9, 3)
    loss = softened_kl(standardized(student), standardized(teacher), 2.0)
    loss.backward()
    assert loss.item() == pytest.approx(0.39712033585, rel=1e-6)
    assert float(student.grad.norm()) == pytest.approx(0.06175603761, rel=1e-6)
    assert float(student.grad[0, 0]) == pytest.approx(-0.0050826992, rel=1e-6)


def test_golden_value_of_the_decoupled_loss(waves: Callable[..., Tensor]) -> None:
    """dkd_loss of the same repository, mdistiller/distillers/DKD.py, at (1, 8), T = 2."""
    student, teacher = (
        standardized(waves((8, 10), 0.1, 2)),
        standardized(waves((8, 10), 0.9, 3)),
    )
    loss = decoupled_kl(student, teacher, LABELS, 2.0, 1.0, 8.0)
    assert float(loss) == pytest.approx(3.17313588992, rel=1e-6)


def test_golden_value_with_cross_entropy(waves: Callable[..., Tensor]) -> None:
    """LogitStdKDLoss of torchdistill: 0.1 · cross-entropy + 9 · KL, T = 2."""
    student, teacher = waves((8, 10), 0.1, 2), waves((8, 10), 0.9, 3)
    soft = softened_kl(standardized(student), standardized(teacher), 2.0)
    loss = 0.1 * F.cross_entropy(student, LABELS) + 9 * soft
    assert float(loss) == pytest.approx(3.86772236737, rel=1e-6)


@given(scale=st.floats(0.01, 100), shift=st.floats(-100, 100))
def test_scale_and_shift_of_a_row_do_not_count(
    waves: Callable[..., Tensor], scale: float, shift: float
) -> None:
    logits = waves((8, 10), 0.1, 2)
    moved = logits.clone()
    moved[3] = scale * logits[3] + shift
    torch.testing.assert_close(standardized(moved), standardized(logits), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
@pytest.mark.parametrize("value", [0.0, 0.1, 1000.3])
def test_a_constant_row_gives_zeros_and_no_gradient(value: float, classes: int) -> None:
    logits = torch.full((2, classes), value)
    logits[1, 0] += 1
    logits.requires_grad_()
    found = standardized(logits)
    found[:, 0].sum().backward()
    assert not found[0].any() and found[1].any()
    assert not logits.grad[0].any() and logits.grad.isfinite().all()


def test_it_is_computed_in_the_kind_given() -> None:
    assert standardized(torch.eye(2, dtype=torch.float64)).dtype == torch.float64
