import math
from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import nn

from kdsearch.errors import TeacherError
from kdsearch.nets.fresh import fresh
from kdsearch.nets.resnet import ResNet
from kdsearch.nets.taps import tap

Stirred = Callable[..., nn.Module]


def ours() -> nn.Module:
    return ResNet([(8, 1), (12, 2), (16, 1)], 3, 10)


MAKERS = [
    ours,
    lambda: torchvision.models.resnet18(num_classes=10),
    lambda: torchvision.models.mobilenet_v3_small(num_classes=10),
    lambda: tap(torchvision.models.resnet18(num_classes=10), torch.randn(1, 3, 32, 32)),
]


@pytest.mark.parametrize("make", MAKERS)
def test_every_weight_is_new_and_the_old_network_stays(
    make: Callable[[], nn.Module], stirred: Stirred
) -> None:
    network = stirred(make()).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    images = torch.randn(2, 3, 32, 32)
    made = fresh(network)
    assert all(torch.equal(before[n], v) for n, v in network.state_dict().items())
    assert made is not network and type(made) is type(network) and not made.training
    for name, parameter in made.named_parameters():
        assert parameter.data_ptr() != dict(network.named_parameters())[name].data_ptr()
        assert not torch.equal(parameter, before[name])
        assert bool(parameter.isfinite().all())
    for name, value in made.named_buffers():
        if name.endswith("running_mean") or name.endswith("num_batches_tracked"):
            assert not bool(value.any())
        elif name.endswith("running_var"):
            assert bool((value == 1).all())
    shown = made(images)
    assert bool((shown.logits if hasattr(shown, "logits") else shown).isfinite().all())


@pytest.mark.parametrize("make", MAKERS)
def test_the_same_seed_draws_the_same_weights(make: Callable[[], nn.Module]) -> None:
    network, states = make(), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        states.append(nn.utils.parameters_to_vector(fresh(network).parameters()).detach())
    assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])


def test_a_networks_own_word_is_the_last(stirred: Stirred) -> None:
    """Its layers draw first, then our ResNet's He initialisation."""
    made = fresh(stirred(ResNet([(64, 1), (64, 1), (64, 1)], 3, 10)))
    weight = made.stages[1][0].conv2.weight.detach()
    assert float(weight.var()) == pytest.approx(2 / (9 * 64), rel=0.05)
    assert not bool(made.stages[1][0].norm2.weight.any())


def test_a_copy_has_no_gradients_and_the_flags_of_the_original() -> None:
    network = ours()
    network(torch.randn(2, 3, 8, 8)).logits.sum().backward()
    network.conv.weight.requires_grad_(False)
    made = fresh(network)
    assert all(parameter.grad is None for parameter in made.parameters())
    assert not made.conv.weight.requires_grad and made.classifier.weight.requires_grad


class Tokens(nn.Module):
    """Holds a parameter itself, as vision transformers do, and draws nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.cls_token = nn.Parameter(torch.zeros(3))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.linear(images + self.cls_token)
        return out


class Drawing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tokens = Tokens()

    def reset_parameters(self) -> None:
        self.tokens.cls_token.data.fill_(0.5)


def test_a_parameter_that_nothing_draws_is_named() -> None:
    with pytest.raises(TeacherError, match=r"Sequential .* draws '1\.cls_token'"):
        fresh(nn.Sequential(nn.Linear(3, 3), Tokens()))
    with pytest.raises(TeacherError, match="class_token"):
        fresh(torchvision.models.VisionTransformer(8, 4, 1, 2, 8, 16))


def test_a_module_may_draw_what_its_children_hold() -> None:
    made = fresh(Drawing())
    assert bool((made.tokens.cls_token == 0.5).all())
    assert bool(made.tokens.linear.weight.isfinite().all())


def test_a_weight_that_is_computed_cannot_be_drawn() -> None:
    network = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    with pytest.raises(TeacherError, match="original"):
        fresh(network)


def test_parameters_of_whole_numbers_stay() -> None:
    network = nn.Sequential(nn.Linear(3, 2))
    network.index = nn.Parameter(torch.arange(4), requires_grad=False)
    assert torch.equal(fresh(network).index, torch.arange(4))


def test_a_parameter_that_is_not_a_number_yet_is_drawn_too() -> None:
    network = nn.Linear(3, 2)
    nn.init.constant_(network.weight, math.nan)
    assert bool(fresh(network).weight.isfinite().all())
