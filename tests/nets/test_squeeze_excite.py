from collections.abc import Callable

import pytest
import torch
from torch import nn

from kdsearch.nets.squeeze_excite import ElasticSqueezeExcite, SqueezeExcite, squeezed


@pytest.mark.parametrize(("channels", "middle"), [(8, 8), (48, 16), (72, 24), (672, 168)])
def test_the_middle_is_a_quarter_divisible_by_eight(channels: int, middle: int) -> None:
    """72 / 4 = 18 would fall to 16, which is below 90 % of it."""
    assert squeezed(channels) == middle
    plain = SqueezeExcite(channels)
    assert plain.reduce.weight.shape == (middle, channels, 1, 1)
    assert plain.expand.weight.shape == (channels, middle, 1, 1)


def test_the_elastic_one_uses_the_leading_channels_and_middle(
    stirred: Callable[..., nn.Module],
) -> None:
    layer, maps = stirred(ElasticSqueezeExcite(96)), torch.randn(2, 48, 3, 3)
    reduce, expand = layer.reduce.widest, layer.expand.widest
    mean = maps.mean((2, 3))
    middle = torch.relu(mean @ reduce.weight[:16, :48, 0, 0].T + reduce.bias[:16])
    raw = middle @ expand.weight[:48, :16, 0, 0].T + expand.bias[:48]
    expected = maps * ((raw + 3) / 6).clamp(0, 1)[:, :, None, None]
    torch.testing.assert_close(layer(maps), expected)
    torch.testing.assert_close(layer.carve(48)(maps), expected)
