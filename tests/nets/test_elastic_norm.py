import pytest
import torch
import torch.nn.functional as F

from kdsearch.nets.elastic_norm import ElasticGroupNorm, groups


@pytest.mark.parametrize(
    ("channels", "count"),
    [(1, 1), (2, 1), (4, 1), (7, 1), (8, 2), (12, 2), (16, 4), (32, 8), (33, 1), (34, 2)]
    + [(36, 4), (512, 8)],
)
def test_groups_divide_the_channels_and_hold_four(channels: int, count: int) -> None:
    assert groups(channels) == count


@pytest.mark.parametrize("width", [1, 5, 16, 20, 32])
def test_it_is_torchs_norm_of_the_leading_channels(width: int) -> None:
    norm, maps = ElasticGroupNorm(32), 3 * torch.randn(2, width, 4, 4) + 1
    with torch.no_grad():
        norm.widest.weight.uniform_(0.5, 2)
        norm.widest.bias.uniform_(-1, 1)
    weight, bias = norm.widest.weight[:width], norm.widest.bias[:width]
    expected = F.group_norm(maps, groups(width), weight, bias, norm.widest.eps)
    torch.testing.assert_close(norm(maps), expected)


@pytest.mark.parametrize("width", range(1, 33))
def test_one_image_of_one_pixel_has_values_and_gradients(width: int) -> None:
    norm, maps = ElasticGroupNorm(32), torch.randn(1, width, 1, 1, requires_grad=True)
    shown = norm(maps)
    shown.square().sum().backward()
    assert bool(shown.isfinite().all()) and bool(maps.grad.isfinite().all())
    assert (float(shown.detach().abs().max()) > 0.1) == (width > 1)


def test_one_value_becomes_the_bias() -> None:
    norm = ElasticGroupNorm(4)
    torch.nn.init.constant_(norm.widest.bias, 0.25)
    assert norm(torch.full((1, 1, 1, 1), 7.0)).item() == pytest.approx(0.25, abs=1e-3)
