"""Calibrated statistics are the cumulative moments of the batches, and nothing else moves."""

import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.supernet.calibrate import calibrate

Carve = Callable[[], nn.Module]


@pytest.fixture
def student(supernet: nn.Module, space: Space) -> nn.Module:
    return supernet.carve(Architecture.of(space.draw(random.Random(0))))


def split(images: Tensor) -> list[Tensor]:
    """Batches of unequal size and of unequal statistics."""
    return [images[:10], 2 * images[10:20] + 1, images[20:] - 3]


def norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


def test_statistics_are_the_exact_cumulative_moments(
    student: nn.Module, images: Tensor
) -> None:
    """Means over the batches of each batch's mean and unbiased variance, at every norm."""
    seen: dict[nn.Module, list[Tensor]] = {norm: [] for norm in norms(student)}
    hooks = [
        norm.register_forward_pre_hook(lambda norm, inputs: seen[norm].append(inputs[0]))
        for norm in seen
    ]
    calibrate(student, split(images))
    for hook in hooks:
        hook.remove()
    assert len(seen) >= 8
    for norm, inputs in seen.items():
        assert len(inputs) == 3
        means = torch.stack([x.double().mean((0, 2, 3)) for x in inputs])
        variances = torch.stack([x.double().var((0, 2, 3)) for x in inputs])
        torch.testing.assert_close(
            norm.running_mean, means.mean(0).float(), rtol=1e-4, atol=1e-5
        )
        torch.testing.assert_close(
            norm.running_var, variances.mean(0).float(), rtol=1e-4, atol=1e-5
        )


def test_the_first_norm_by_hand() -> None:
    """Two batches: means 2 and 5, unbiased variances 2 and 8."""
    net = nn.Sequential(nn.BatchNorm2d(1))
    one, other = torch.tensor([1.0, 3.0]), torch.tensor([3.0, 7.0])
    calibrate(net, [one.view(2, 1, 1, 1), other.view(2, 1, 1, 1)])
    assert net[0].running_mean.tolist() == [3.5]
    assert net[0].running_var.tolist() == [5.0]


def test_it_forgets_what_was_there(student: nn.Module, images: Tensor) -> None:
    for norm in norms(student):
        norm.running_mean.fill_(1e6)
        norm.running_var.fill_(1e6)
        norm.num_batches_tracked.fill_(1000)
    calibrate(student, split(images))
    first = {name: value.clone() for name, value in student.state_dict().items()}
    calibrate(student, split(images))
    for name, value in student.state_dict().items():
        assert torch.equal(value, first[name]), name


def test_weights_momenta_and_modes_are_left(student: nn.Module, images: Tensor) -> None:
    student.train()
    norms(student)[0].momentum = 0.25
    before = {name: value.clone() for name, value in student.named_parameters()}
    calibrate(student, split(images))
    assert all(torch.equal(before[name], p) for name, p in student.named_parameters())
    assert [norm.momentum for norm in norms(student)][:2] == [0.25, 0.1]
    assert not any(module.training for module in student.modules())
    assert all(parameter.requires_grad for parameter in student.parameters())
    assert all(parameter.grad is None for parameter in student.parameters())


def test_modes_and_momenta_come_back_also_after_an_error(student: nn.Module) -> None:
    with pytest.raises(RuntimeError):
        calibrate(student, [torch.randn(4, 9, 8, 8)])
    assert not any(module.training for module in student.modules())
    assert all(norm.momentum == 0.1 for norm in norms(student))


def test_noise_is_off_while_calibrating(images: Tensor) -> None:
    net = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm2d(1))
    calibrate(net, [images])
    torch.testing.assert_close(net[1].running_var, images.var().view(1))


def test_a_network_without_statistics_sees_no_batch(images: Tensor) -> None:
    seen: list[Tensor] = []
    net = nn.Sequential(nn.Flatten(), nn.LayerNorm(64)).train()
    net.register_forward_hook(lambda *_: seen.append(images))
    calibrate(net, [images])
    assert not seen
    assert not any(module.training for module in net.modules())


def test_a_supernet_is_refused(supernet: nn.Module, images: Tensor) -> None:
    before = {name: value.clone() for name, value in supernet.state_dict().items()}
    with pytest.raises(AssertionError, match="carve first"):
        calibrate(supernet, [images])
    assert all(torch.equal(before[n], value) for n, value in supernet.state_dict().items())
