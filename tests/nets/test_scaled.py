"""Each layer against torch's own on slices written out by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.scaled import ScaledConv2d, ScaledDoubling2d, ScaledLinear

MAPS, FEATURES = torch.randn(3, 16, 6, 6), torch.randn(3, 16)


def test_a_linear_layer_uses_the_leading_features() -> None:
    layer = ScaledLinear(64, 5)
    product = FEATURES @ layer.widest.weight[:, :16].T
    torch.testing.assert_close(layer(FEATURES), 2 * product + layer.widest.bias)


@pytest.mark.parametrize(("stride", "padding", "size"), [(1, 0, 4), (1, 1, 6), (2, 1, 3)])
def test_a_convolution_uses_the_leading_channels(stride: int, padding: int, size: int) -> None:
    layer = ScaledConv2d(64, 8, 3, stride, padding)
    expected = 2 * F.conv2d(MAPS, layer.widest.weight[:, :16], None, stride, padding)
    assert expected.shape == (3, 8, size, size)
    torch.testing.assert_close(layer(MAPS), expected)
    torch.testing.assert_close(layer(MAPS, 5), expected[:, :5])


def test_doubling_uses_the_leading_channels() -> None:
    layer = ScaledDoubling2d(64, 8)
    expected = 2 * F.conv_transpose2d(MAPS, layer.widest.weight[:16], None, 2, 1)
    assert expected.shape == (3, 8, 12, 12)
    torch.testing.assert_close(layer(MAPS), expected)


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (ScaledLinear(64, 400), torch.randn(400, 64)),
        (ScaledConv2d(64, 40, 3), torch.randn(20, 64, 8, 8)),
        (ScaledDoubling2d(64, 40), torch.randn(20, 64, 8, 8)),
    ],
)
def test_the_outputs_vary_alike_at_every_width(layer: nn.Module, inputs: Tensor) -> None:
    widest = float(layer(inputs).detach().std())
    for width in (8, 16, 33):
        assert float(layer(inputs[:, :width]).detach().std()) == pytest.approx(widest, rel=0.1)


def test_the_widest_layer_is_torchs_own() -> None:
    layer = ScaledLinear(16, 3)
    torch.testing.assert_close(layer(FEATURES), layer.widest(FEATURES))
