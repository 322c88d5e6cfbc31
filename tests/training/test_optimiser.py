"""What decays, and what is clipped."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v2

from kdsearch.training.optimiser import clip, make_optimiser
from kdsearch.training.plan import Plan

PLAN = Plan(steps=150, batch_size=16, learning_rate=0.05, weight_decay=1e-3, seed=7)


def decayed(network: nn.Module) -> set[str]:
    """Names of the parameters on which the plan's weight decay lies; all others have none."""
    held = {
        id(parameter): group["weight_decay"]
        for group in make_optimiser(network, PLAN).param_groups
        for parameter in group["params"]
    }
    found = {name: held[id(p)] for name, p in network.named_parameters()}
    assert set(found.values()) <= {0.0, PLAN.weight_decay}
    return {name for name, decay in found.items() if decay}


def test_depthwise_convolutions_biases_and_norms_do_not_decay() -> None:
    """A stem over grey images has a weight of the same shape, and decays."""
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.Conv2d(4, 4, 3, groups=4),
        nn.Conv2d(4, 8, 1),
        nn.Conv2d(8, 8, 3, groups=2),
        nn.LayerNorm(5),
        nn.Linear(5, 2),
    )
    assert network[0].weight.shape == network[2].weight.shape
    assert decayed(network) == {"0.weight", "3.weight", "4.weight", "6.weight"}


def test_of_a_mobile_network_the_pointwise_half_decays() -> None:
    network = mobilenet_v2(num_classes=3, width_mult=0.25)
    convolutions = {n: m for n, m in network.named_modules() if isinstance(m, nn.Conv2d)}
    plain = {f"{n}.weight" for n, m in convolutions.items() if m.groups == 1}
    assert len(convolutions) - len(plain) == 17  # one depthwise convolution a block
    assert decayed(network) == plain | {"classifier.1.weight"}


def test_frozen_parameters_are_not_trained() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(2, 3))
    network[0].requires_grad_(False)
    held = [p for group in make_optimiser(network, PLAN).param_groups for p in group["params"]]
    trained = [*network[1].parameters(), *network[2].parameters()]
    assert {id(parameter) for parameter in held} == {id(parameter) for parameter in trained}


def with_gradient(*values: float) -> nn.Module:
    layer = nn.Linear(len(values), 1, bias=False)
    layer.weight.grad = torch.tensor([values])
    return layer


@pytest.mark.parametrize(
    ("limit", "norm", "left"),
    [
        (None, 100.0, [-0.5, 3.0, 4.0]),
        (None, 2.5, [-0.25, 1.5, 2.0]),
        (1.0, 100.0, [-0.5, 1.0, 1.0]),
        (1.0, 0.75, [-0.25, 0.5, 0.5]),  # the norm of what the values' limit left: 1.5
    ],
)
def test_values_are_clipped_then_the_norm(
    limit: float | None, norm: float, left: list[float]
) -> None:
    gradient = [-0.5, 3.0, 4.0]
    if limit is None:  # a norm of 5 whatever the first is
        gradient, left = gradient[1:], left[1:]
    layer = with_gradient(*gradient)
    clip([(layer,)], replace(PLAN, clip=norm, clip_value=limit))
    assert layer.weight.grad[0].tolist() == pytest.approx(left, rel=1e-5)


def test_by_default_no_value_is_clipped() -> None:
    layer = with_gradient(3.0, 4.0)
    clip([(layer,)], PLAN)
    assert PLAN.clip_value is None and layer.weight.grad[0].tolist() == pytest.approx([3, 4])


def test_players_are_clipped_apart() -> None:
    one, other = with_gradient(3.0, 4.0), with_gradient(0.3, 0.4)
    clip([(one,), (other,)], replace(PLAN, clip=1.0))
    assert one.weight.grad[0].tolist() == pytest.approx([0.6, 0.8], rel=1e-4)
    assert other.weight.grad[0].tolist() == pytest.approx([0.3, 0.4])
