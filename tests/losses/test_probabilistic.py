import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kdsearch.losses.probabilistic import probabilistic_kl


def test_by_hand() -> None:
    """Student's rows at right angles: (2/3, 1/3); teacher's equal: (1/2, 1/2); 4 entries."""
    found = probabilistic_kl(torch.eye(2), torch.ones(2, 3))
    divergence = 0.5 * math.log(0.5 / (2 / 3)) + 0.5 * math.log(0.5 / (1 / 3))
    assert float(found) == pytest.approx(divergence / 2, rel=1e-4)


def test_golden_value_and_gradient(waves: Callable[..., Tensor]) -> None:
    """pkt_loss of megvii-research/mdistiller, mdistiller/distillers/PKT.py, as in
    passalis/probabilistic_kt, nn/pkt.py; of its gradient the norm and the first element."""
    student, teacher = waves((8, 12), 0.1).requires_grad_(), waves((8, 16), 0.9)
    loss = probabilistic_kl(student, teacher)
    loss.backward()
    assert loss.item() == pytest.approx(0.0569990718545, rel=1e-6)
    assert float(student.grad.norm()) == pytest.approx(0.01112457575, rel=1e-6)
    assert float(student.grad[0, 0]) == pytest.approx(-0.0010600645, rel=1e-6)


def test_lengths_do_not_count(waves: Callable[..., Tensor]) -> None:
    student, teacher = waves((8, 12), 0.1), waves((8, 16), 0.9)
    stretched = student * torch.arange(1, 9).view(8, 1)
    torch.testing.assert_close(
        probabilistic_kl(stretched, teacher),
        probabilistic_kl(student, teacher),
        rtol=1e-5,
        atol=0,
    )
    assert float(probabilistic_kl(stretched, student)) == pytest.approx(0, abs=1e-10)


def test_the_order_of_the_samples_does_not_count(waves: Callable[..., Tensor]) -> None:
    student, teacher = waves((8, 12), 0.1), waves((8, 16), 0.9)
    torch.testing.assert_close(
        probabilistic_kl(student.flip(0), teacher.flip(0)), probabilistic_kl(student, teacher)
    )


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]], id="zeros"),
        pytest.param([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]], id="equal"),
        pytest.param([[1.0, 2.0], [-2.0, -4.0], [2.0, -1.0]], id="opposite"),
    ],
)
def test_odd_rows_stay_finite(rows: list[list[float]]) -> None:
    student, teacher = torch.tensor(rows, requires_grad=True), torch.eye(3)
    found = probabilistic_kl(student, teacher)
    found.backward()
    assert found.detach().isfinite()
    assert float(student.grad.norm()) < 10
    assert probabilistic_kl(teacher, student.detach()).isfinite()


def test_a_sample_alone_gives_zero() -> None:
    student = torch.tensor([[1.0, 2.0]], requires_grad=True)
    found = probabilistic_kl(student, torch.tensor([[3.0]]))
    found.backward()
    assert found.item() == 0
    assert not student.grad.any()
