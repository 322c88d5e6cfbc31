import pytest
import torch
import torch.nn.functional as F

from kdsearch.nets.pointwise import POSITIONS, pointwise


@pytest.mark.parametrize("side", [1, 2, 3])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_a_1x1_convolution_either_way(side: int, layout: torch.memory_format) -> None:
    """Of a slice; with gradients."""
    assert 1 <= POSITIONS < 9  # both ways are tried
    maps = torch.randn(4, 5, side, side, dtype=torch.float64).to(memory_format=layout)
    widest = torch.randn(8, 7, 1, 1, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(6, dtype=torch.float64)
    found = []
    for conv in (pointwise, F.conv2d):
        out = conv(maps, widest[:6, :5], bias)
        found.append((out, *torch.autograd.grad(out.square().sum(), widest)))
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12)
