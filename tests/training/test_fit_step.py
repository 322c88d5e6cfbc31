"""One optimiser step of the loop, by hand: rate, momentum, decay, clipping, average."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from kdsearch.training.fit import apply, average, averaged_parameters
from kdsearch.training.optimiser import make_optimiser
from kdsearch.training.plan import Plan, learning_rate
from kdsearch.training.task import Shows, Task

PLAN = Plan(steps=150, batch_size=16, learning_rate=0.05, weight_decay=1e-3, seed=7)


class Alone:
    """A task of one module that is clipped as a whole."""

    classes, shows = 3, Shows()

    def __init__(self, module: nn.Module) -> None:
        self.module, self.players = module, [(module,)]


def step(loss: Tensor, module: nn.Module, optimiser: Optimizer, plan: Plan, at: int) -> None:
    task: Task = Alone(module)  # type: ignore[assignment]  # a step asks for no loss
    apply(loss, task, optimiser, plan, at)


def weights() -> nn.Module:
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 3)
    )
    for parameter in network.parameters():
        nn.init.constant_(parameter, 2.0)
    return network


def test_weight_decay_spares_biases_and_norms() -> None:
    """With no gradient but the decay's, a step takes lr (1 + momentum) decay off a weight."""
    network = weights()
    plan = replace(PLAN, learning_rate=0.1, weight_decay=0.5, warmup=0.0, steps=10**6)
    loss = sum(parameter.sum() for parameter in network.parameters()) * 0.0
    step(loss, network, make_optimiser(network, plan), plan, 0)
    for name, parameter in network.named_parameters():
        decays = name in ("0.weight", "3.weight")
        expected = 2 - 0.1 * 1.9 * 0.5 * 2 if decays else 2.0
        torch.testing.assert_close(parameter, torch.full_like(parameter, expected)), name


def test_two_steps_of_nesterov_by_hand() -> None:
    """v1 = g, v2 = 0.9 g + g; each step takes off lr (g + 0.9 v) (torch's form of Nesterov)."""
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 1.0)
    plan = replace(PLAN, weight_decay=0.0, steps=8, warmup=0.25, learning_rate=1.0)
    optimiser = make_optimiser(layer, plan)
    for at in (0, 1):
        step(0.5 * layer.weight.sum(), layer, optimiser, plan, at)
    first, second = learning_rate(plan, 0), learning_rate(plan, 1)
    assert (first, second) == pytest.approx((0.25, 0.75))
    expected = 1 - first * (0.5 + 0.9 * 0.5) - second * (0.5 + 0.9 * 0.95)
    assert layer.weight.item() == pytest.approx(expected)


def test_a_gradient_is_clipped_as_a_whole() -> None:
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    plan = replace(PLAN, clip=1.0, learning_rate=1.0, momentum=0.5, weight_decay=0.0)
    plan = replace(plan, warmup=0.0, steps=10**6)  # the rate of step 0 is the peak
    for layer in network:
        nn.init.zeros_(layer.weight)
    loss = 30 * network[0].weight.sum() + 40 * network[1].weight.sum()
    step(loss, network, make_optimiser(network, plan), plan, 0)
    taken = [-layer.weight.item() / 1.5 for layer in network]
    assert taken == pytest.approx([0.6, 0.8], rel=1e-4)


def test_unused_weights_are_left_as_they_are() -> None:
    """No decay, no momentum: a path that was not drawn learns nothing."""
    network = weights()
    optimiser = make_optimiser(network, PLAN)
    whole = sum(parameter.sum() for parameter in network.parameters())
    step(whole, network, optimiser, PLAN, 0)
    before = {name: value.clone() for name, value in network.named_parameters()}
    step(network[3].weight.sum(), network, optimiser, PLAN, 1)
    for name, value in network.named_parameters():
        assert torch.equal(value, before[name]) == (name != "3.weight"), name


def test_the_average_moves_by_one_minus_decay() -> None:
    layer = nn.Linear(1, 1)
    nn.init.constant_(layer.weight, 3.0), nn.init.constant_(layer.bias, 5.0)
    averages = {"weight": torch.full((1, 1), 1.0), "bias": torch.zeros(1)}
    average(dict(layer.named_parameters()), averages, 0.75)
    assert (averages["weight"].item(), averages["bias"].item()) == (1.5, 1.25)
    assert layer.weight.item() == 3.0


def test_each_player_is_clipped_on_its_own() -> None:
    """A teacher's large gradient does not make the student's step smaller."""
    plan = replace(PLAN, clip=1.0, learning_rate=1.0, momentum=0.5, weight_decay=0.0)
    plan = replace(plan, warmup=0.0, steps=10**6)
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    for layer in network:
        nn.init.zeros_(layer.weight)
    task = Alone(network)
    task.players = [(network[0],), (network[1],)]
    loss = 0.5 * network[0].weight.sum() + 400 * network[1].weight.sum()
    apply(loss, task, make_optimiser(network, plan), plan, 0)  # type: ignore[arg-type]
    taken = [-layer.weight.item() / 1.5 for layer in network]
    assert taken == pytest.approx([0.5, 1.0], rel=1e-4)


def test_an_average_is_kept_of_what_ships_alone() -> None:
    """Of the first player, under the whole module's names; a teacher beside it has none."""
    network = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    task = Alone(network)
    task.players = [(network[0],), (network[1],)]
    kept = averaged_parameters(task)  # type: ignore[arg-type]
    assert set(kept) == {"0.weight", "0.bias"}
    assert kept["0.weight"] is network[0].weight
