from collections.abc import Callable

import pytest
import torch
from torch import nn

from kdsearch.nets.projection import Projection
from kdsearch.nets.scaled import ScaledConv2d, ScaledDoubling2d

Cut = Callable[[nn.Module, nn.Module], nn.Module]
Stirred = Callable[..., nn.Module]

SIZES = [
    ((8, 8), (4, 4)),  # twice
    ((4, 4), (8, 8)),  # half
    ((2, 2), (1, 1)),
    ((1, 1), (2, 2)),
    ((8, 8), (8, 8)),  # the same
    ((10, 9), (8, 8)),  # a little larger
    ((14, 14), (8, 8)),
    ((15, 15), (8, 8)),  # larger by more than the kernel closes
    ((32, 32), (8, 8)),
    ((5, 5), (8, 8)),  # smaller
    ((4, 8), (8, 4)),  # one side smaller
    ((16, 4), (8, 4)),
    ((1, 1), (7, 7)),
]


@pytest.mark.parametrize(("size", "target"), SIZES)
@pytest.mark.parametrize("channels", [3, 8, 12])
def test_any_map_gets_the_teachers_shape(
    size: tuple[int, int], target: tuple[int, int], channels: int
) -> None:
    project = Projection((12, *size), (20, *target))
    for batch in (1, 3):
        assert project(torch.randn(batch, channels, *size)).shape == (batch, 20, *target)
    assert project(torch.randn(1, channels, 6, 7)).shape == (1, 20, *target)


@pytest.mark.parametrize(
    ("size", "target", "kernel", "stride", "padding"),
    [
        (8, 4, 3, 2, 1),
        (8, 8, 1, 1, 0),
        (9, 8, 2, 1, 0),
        (14, 8, 7, 1, 0),
        (15, 8, 3, 1, 1),
        (5, 8, 3, 1, 1),
        (2, 1, 3, 2, 1),
    ],
)
def test_the_convolution_follows_the_sizes(
    size: int, target: int, kernel: int, stride: int, padding: int
) -> None:
    project = Projection((4, size, size), (6, target, target)).project
    assert isinstance(project, ScaledConv2d)
    conv = project.widest
    assert (conv.kernel_size[0], conv.stride[0], conv.padding[0]) == (kernel, stride, padding)


def test_half_the_size_is_doubled() -> None:
    project = Projection((4, 4, 4), (6, 8, 8)).project
    assert isinstance(project, ScaledDoubling2d)


@pytest.mark.parametrize(("size", "target"), SIZES)
def test_a_narrower_map_sees_a_slice(
    size: tuple[int, int], target: tuple[int, int], stirred: Stirred, sliced: Cut
) -> None:
    widest = stirred(Projection((12, *size), (20, *target)))
    narrow = sliced(Projection((5, *size), (20, *target)), widest)
    maps = torch.randn(2, 5, *size)
    torch.testing.assert_close(widest(maps), narrow(maps), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "target"), [((4, 4), (8, 8)), ((8, 8), (4, 4))])
def test_absent_channels_get_no_gradient(
    size: tuple[int, int], target: tuple[int, int]
) -> None:
    project = Projection((12, *size), (20, *target))
    project(torch.randn(2, 5, *size)).sum().backward()
    gradient = project.project.widest.weight.grad
    if isinstance(project.project, ScaledConv2d):
        gradient = gradient.transpose(0, 1)
    assert bool(gradient[:5].flatten(1).any(1).all()) and not bool(gradient[5:].any())


def test_the_result_varies_alike_at_every_width() -> None:
    """It is normalised: mean 0 and variance 1 before the ReLU."""
    torch.manual_seed(0)
    project = Projection((64, 8, 8), (32, 4, 4))
    maps = torch.randn(16, 64, 8, 8)
    for width in (8, 24, 64):
        shown = project(maps[:, :width]).detach()
        assert float(shown.square().mean()) == pytest.approx(0.5, rel=0.05)


def test_its_state_is_loaded_whole(stirred: Stirred) -> None:
    first, second = (Projection((12, 8, 8), (20, 4, 4)) for _ in range(2))
    second.load_state_dict(stirred(first).state_dict())
    maps = torch.randn(2, 7, 8, 8)
    assert torch.equal(first(maps), second(maps))
