import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kdsearch.losses.affinity import (
    FLOOR,
    KERNELS,
    cosine,
    pairwise_distances,
    row_probabilities,
)

TRIANGLE = torch.tensor([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]], dtype=torch.float64)


def jeffreys(student: Tensor, teacher: Tensor) -> Tensor:
    return ((teacher - student) * (teacher.log() - student.log())).mean()


def kl(student: Tensor, teacher: Tensor) -> Tensor:
    return (teacher * (1e-6 + teacher / (1e-6 + student)).log()).mean()


def test_distances_by_hand() -> None:
    expected = torch.tensor([[0.0, 5.0, 3.0], [5.0, 0.0, 4.0], [3.0, 4.0, 0.0]])
    torch.testing.assert_close(
        pairwise_distances(TRIANGLE), (expected.double().square() + 1e-6).sqrt()
    )


@pytest.mark.parametrize(
    ("kernel", "value"),
    [
        ("student_t", 1 / 6),
        ("cauchy", 1 / 26),
        ("rbf", math.exp(-5)),
        ("adaptive_rbf", math.exp(-5 / (24.003 / 9))),
    ],
)
def test_kernels_by_hand(kernel: str, value: float) -> None:
    """Of two points at distance 5; the nine distances add up to 24.003."""
    assert float(KERNELS[kernel](TRIANGLE)[0, 1]) == pytest.approx(value, rel=1e-5)


def test_cosine_by_hand() -> None:
    found = cosine(torch.tensor([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0], [0.0, 0.0]]))
    expected = [[1, 0.5, 0, 0.5], [0.5, 1, 0.5, 0.5], [0, 0.5, 1, 0.5], [0.5, 0.5, 0.5, 0.5]]
    torch.testing.assert_close(found, torch.tensor(expected), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("kernel", "divergence", "value"),
    [
        ("cosine", kl, 0.0569963120824),
        ("cosine", jeffreys, 0.101529697329),
        ("student_t", jeffreys, 0.0117134685347),
        ("rbf", kl, 0.0319386916019),
        ("adaptive_rbf", jeffreys, 0.0241548626949),
    ],
)
def test_golden_values(
    waves: Callable[..., Tensor],
    kernel: str,
    divergence: Callable[[Tensor, Tensor], Tensor],
    value: float,
) -> None:
    """prob_loss of pkth (passalis/pkth, nn/pkt_transfer.py) with these kernels and losses."""
    student, teacher = waves((8, 12), 0.1), waves((8, 16), 0.9)
    rows = [row_probabilities(KERNELS[kernel](x)) for x in (student, teacher)]
    assert float(divergence(*rows)) == pytest.approx(value, rel=1e-6)


def test_rows_with_and_without_the_diagonal() -> None:
    kernel = torch.tensor([[1.0, 0.2, 0.8], [0.2, 1.0, 0.3], [0.8, 0.3, 1.0]])
    torch.testing.assert_close(row_probabilities(kernel)[0], torch.tensor([0.5, 0.1, 0.4]))
    torch.testing.assert_close(
        row_probabilities(kernel, include_diagonal=False),
        torch.tensor([[0.2, 0.8], [0.4, 0.6], [8 / 11, 3 / 11]]),
    )


@pytest.mark.parametrize("include_diagonal", [True, False])
def test_one_sample_alone_is_one(include_diagonal: bool) -> None:
    assert row_probabilities(torch.tensor([[0.3]]), include_diagonal).tolist() == [[1]]


@pytest.mark.parametrize("include_diagonal", [True, False])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]], id="zeros"),
        pytest.param([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]], id="equal"),
        pytest.param([[1.0, 2.0], [-2.0, -4.0], [2.0, -1.0]], id="opposite"),
        pytest.param([[1e6, 0.0], [-1e6, 0.0]], id="far"),
        pytest.param([[1.0, 2.0]], id="alone"),
    ],
)
def test_logarithms_and_gradients_are_finite(
    rows: list[list[float]], kernel: str, include_diagonal: bool
) -> None:
    features = torch.tensor(rows, requires_grad=True)
    found = row_probabilities(KERNELS[kernel](features), include_diagonal)
    torch.testing.assert_close(found.sum(1), torch.ones(len(rows)))
    assert (found > FLOOR / 10 / len(rows)).all()
    (found.log() * torch.arange(found.numel()).view_as(found)).sum().backward()
    assert features.grad.isfinite().all()


@pytest.mark.parametrize("kernel", ["student_t", "rbf", "adaptive_rbf", "cauchy"])
def test_distances_do_not_move_with_the_rows(waves: Callable[..., Tensor], kernel: str) -> None:
    rows = waves((8, 12), 0.1)
    torch.testing.assert_close(KERNELS[kernel](rows + 2), KERNELS[kernel](rows))


def test_the_cosine_does_not_see_lengths(waves: Callable[..., Tensor]) -> None:
    rows = waves((8, 12), 0.1)
    stretched = rows * torch.arange(1, 9).view(8, 1)
    torch.testing.assert_close(cosine(stretched), cosine(rows), rtol=1e-5, atol=1e-6)


def test_the_mean_distance_carries_no_gradient(waves: Callable[..., Tensor]) -> None:
    rows = waves((4, 3), 0.1).requires_grad_()
    distances = pairwise_distances(rows)
    fixed = float(distances.detach().mean())
    (expected,) = torch.autograd.grad(torch.exp(-distances / fixed).sum(), rows)
    (found,) = torch.autograd.grad(KERNELS["adaptive_rbf"](rows).sum(), rows)
    torch.testing.assert_close(found, expected)


def test_a_row_is_at_no_distance_from_itself_in_float32_too() -> None:
    rows = torch.randn(8, 300, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    exact = pairwise_distances(rows)
    torch.testing.assert_close(exact.diagonal(), torch.full((8,), 1e-3, dtype=torch.float64))
    torch.testing.assert_close(
        pairwise_distances(rows.float()).double(), exact, rtol=1e-5, atol=1e-7
    )
