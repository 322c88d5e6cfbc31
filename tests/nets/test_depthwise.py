"""Whichever way gradients take, they are those of torch's own convolution."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from kdsearch.nets.depthwise import depthwise, pays

SIDES = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 8), (8, 8), (9, 9), (1, 6)]


def both(
    sides: tuple[int, int], kernel: int, stride: int, dtype: torch.dtype
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Outputs and gradients: ours, torch's."""
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(3, 6, *sides, generator=generator)
    weight = torch.randn(6, 1, kernel, kernel, generator=generator).to(dtype)
    maps = maps.to(dtype, memory_format=torch.channels_last)
    found = []
    for conv in (depthwise, by_torch):
        inputs = maps.clone().requires_grad_(), weight.clone().requires_grad_()
        out = conv(*inputs, stride)
        grad = torch.linspace(-1, 1, out.numel()).view(out.shape).to(dtype)
        found.append((out, *torch.autograd.grad(out, inputs, grad)))
    return found[0], found[1]


def by_torch(maps: Tensor, weight: Tensor, stride: int) -> Tensor:
    return F.conv2d(maps, weight, None, stride, weight.shape[-1] // 2, groups=len(weight))


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
def test_outputs_and_gradients_are_those_of_torch(
    sides: tuple[int, int], kernel: int, stride: int
) -> None:
    ours, expected = both(sides, kernel, stride, torch.float64)
    for mine, theirs in zip(ours, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12)


def test_both_ways_are_taken() -> None:
    ways = {pays(torch.empty(3, 6, *sides), kernel) for sides in SIDES for kernel in (3, 5)}
    assert ways == {True, False}


def test_in_low_precision_gradients_are_summed_in_float32() -> None:
    ours, _ = both((4, 4), 7, 1, torch.bfloat16)
    _, exact = both((4, 4), 7, 1, torch.float32)
    assert {value.dtype for value in ours} == {torch.bfloat16}
    for mine, theirs in zip(ours, exact, strict=True):
        torch.testing.assert_close(mine.float(), theirs, rtol=0.05, atol=0.1)


def test_autocast_lowers_the_precision_of_the_output_alone() -> None:
    maps, weight = torch.randn(3, 6, 4, 4), torch.randn(6, 1, 5, 5, requires_grad=True)
    for sides in ((4, 4), (1, 1)):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = depthwise(maps[:, :, : sides[0], : sides[1]], weight, 1)
        assert out.dtype == torch.bfloat16
        (slopes,) = torch.autograd.grad(out.float().sum(), weight)
        assert slopes.dtype == torch.float32


def test_gradients_have_gradients() -> None:
    maps = torch.randn(2, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 1, 5, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda m, w: depthwise(m, w, 2), (maps, weight))
