"""The Lipschitz bound of SoTeacher, by hand."""

import pytest
import torch
from torch import nn

from kdsearch.losses.lipschitz import lipschitz


def filled(layer: nn.Module, weight: list[float], bias: float = 9.0) -> nn.Module:
    """Biases count nothing, whatever they are."""
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight).view(layer.weight.shape))
        if layer.bias is not None:
            layer.bias.fill_(bias)
    return layer


def conv() -> nn.Module:
    return filled(nn.Conv2d(1, 2, (1, 2)), [1.0, -2.0, 0.5, -0.25])  # 3.75


def norm() -> nn.Module:
    layer = filled(nn.BatchNorm2d(3, eps=1.0), [1.0, -3.0, 2.0])
    layer.running_var.copy_(torch.tensor([0.0, 8.0, 0.0]))  # 1 / 1, 3 / 3, 2 / 1
    return layer


def linear() -> nn.Module:
    return filled(nn.Linear(2, 3), [1.0, -2.0, -3.0, 0.5, 0.0, 1.0])  # columns 4 and 3.5


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([conv], 3.75),
        ([norm], 2.0),
        ([linear], 4.0),
        ([conv, norm, linear, linear], 13.75),
        ([nn.ReLU], 0.0),
        ([lambda: nn.LayerNorm(3), lambda: nn.BatchNorm2d(3, track_running_stats=False)], 0.0),
        ([lambda: nn.BatchNorm2d(3, eps=0.0, affine=False)], 1.0),
    ],
)
def test_sums_over_layers(layers: list, expected: float) -> None:
    network = nn.Sequential(*(layer() for layer in layers))
    assert float(lipschitz(network).detach()) == pytest.approx(expected, rel=1e-6)


def test_gradients_reach_what_counts_and_nothing_else() -> None:
    network = nn.Sequential(conv(), norm(), linear())
    lipschitz(network).backward()
    grads = [network[0].weight.grad.flatten(), network[1].weight.grad, network[2].weight.grad]
    assert grads[0].tolist() == [1, -1, 1, -1]
    assert grads[1].tolist() == [0, 0, 1]  # of the largest alone, over sqrt(0 + 1)
    assert grads[2].tolist() == [[1, 0], [-1, 0], [0, 0]]
    assert all(layer.bias.grad is None for layer in network)
