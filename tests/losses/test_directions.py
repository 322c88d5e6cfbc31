import pytest
import torch

from kdsearch.losses.directions import directions


def test_by_hand() -> None:
    rows = torch.tensor([[3.0, 4.0], [-6.0, 8.0]], dtype=torch.float64)
    expected = torch.tensor([[0.6, 0.8], [-0.6, 0.8]], dtype=torch.float64)
    torch.testing.assert_close(directions(rows), expected)


def test_the_gradient_is_orthogonal_to_the_row() -> None:
    """Of the first coordinate of (3, 4) / 5: (1 − 0.36) / 5 and −0.48 / 5."""
    rows = torch.tensor([[3.0, 4.0]], requires_grad=True)
    directions(rows)[0, 0].backward()
    torch.testing.assert_close(rows.grad, torch.tensor([[0.128, -0.096]]))


@pytest.mark.parametrize("size", [0.0, 1e-13, 1e-30])
def test_a_row_without_length_stays_zero_and_gets_no_gradient(size: float) -> None:
    rows = torch.tensor([[size, 0.0], [3.0, 4.0]], requires_grad=True)
    found = directions(rows)
    (found * torch.tensor([1.0, 2.0])).sum().backward()
    assert found[0].tolist() == [0, 0]
    assert rows.grad[0].tolist() == [0, 0]
    assert rows.grad[1].abs().sum() > 0
