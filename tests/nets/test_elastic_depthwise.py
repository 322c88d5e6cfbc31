from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kdsearch.nets.elastic_depthwise import ElasticDepthwise2d

Stirred = Callable[..., nn.Module]
EDGES = {7: slice(0, 7), 5: slice(1, 6), 3: slice(2, 5)}


@pytest.mark.parametrize("transform", [False, True])
@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_fresh_smaller_kernel_is_the_centre(
    transform: bool, kernel: int, stride: int
) -> None:
    """The matrices start as the identity."""
    layer = ElasticDepthwise2d(6, (3, 5, 7), stride, transform=transform)
    maps, edge = torch.randn(2, 4, 9, 9), EDGES[kernel]
    weight = layer.widest.weight[:4, :, edge, edge]
    expected = F.conv2d(maps, weight, None, stride, kernel // 2, groups=4)
    torch.testing.assert_close(layer(maps, kernel), expected)
    torch.testing.assert_close(layer.carve(4, kernel)(maps), expected)


def test_the_transform_goes_from_size_to_size(stirred: Stirred) -> None:
    """7 to 5 by the 25 x 25 matrix, that one's centre to 3 by the 9 x 9 matrix."""
    layer = stirred(ElasticDepthwise2d(6, (3, 5, 7), transform=True))
    seven, five, three = layer.widest.weight, layer.matrices["5"], layer.matrices["3"]
    assert (five.shape, three.shape) == ((25, 25), (9, 9))
    channel = 2
    by_five = (five @ seven[channel, 0, 1:6, 1:6].flatten()).view(5, 5)
    by_three = (three @ by_five[1:4, 1:4].flatten()).view(3, 3)
    for kernel, expected in ((7, seven[channel, 0]), (5, by_five), (3, by_three)):
        found = layer.carve(4, kernel).weight
        assert found.shape == (4, 1, kernel, kernel)
        torch.testing.assert_close(found[channel, 0], expected)


def test_only_sizes_that_may_be_asked_for_have_a_matrix() -> None:
    assert list(ElasticDepthwise2d(4, (3, 7), transform=True).matrices) == ["3"]
    assert not list(ElasticDepthwise2d(4, (5,), transform=True).matrices)
    assert not list(ElasticDepthwise2d(4, (3, 5, 7)).parameters())[1:]


@pytest.mark.parametrize(("kernel", "learning"), [(7, set()), (5, {"5"}), (3, {"3", "5"})])
def test_gradients_reach_the_matrices_on_the_way_and_the_leading_channels_alone(
    kernel: int, learning: set[str]
) -> None:
    layer = ElasticDepthwise2d(6, (3, 5, 7), transform=True)
    layer(torch.randn(2, 4, 9, 9), kernel).square().sum().backward()
    grads = {size: matrix.grad for size, matrix in layer.matrices.items()}
    assert {size for size, grad in grads.items() if grad is not None} == learning
    grad = layer.widest.weight.grad
    edge = EDGES[kernel]
    assert grad is not None and bool(grad[:4, :, edge, edge].all())
    assert not bool(grad[4:].any())


def test_a_carved_kernel_is_free_standing(stirred: Stirred) -> None:
    layer = stirred(ElasticDepthwise2d(6, (3, 5), 2, transform=True))
    carved = layer.carve(4, 3)
    assert type(carved) is nn.Conv2d and (carved.groups, carved.stride) == (4, (2, 2))
    assert carved.weight.is_leaf and carved.weight.requires_grad
    before = layer.widest.weight.clone()
    carved.weight.detach().zero_()
    assert torch.equal(layer.widest.weight, before)
