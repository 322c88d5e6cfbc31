"""Depthwise convolution, its gradients computed in the way that is fast on processors (ours).

There the library's gradient of the weights is slow where kernels are wider than 3 or maps
smaller than kernels: it takes up to ten times as long as all else of the layer, or more. To a
single channel the convolution of a small map is a matrix over positions; the gradient of that
is a product over the batch, and the kernel's is the sums along its diagonals.
"""

from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

MATRIX_SIDE = 8
"""Side of the largest map whose matrix of positions pays; found by measuring."""
SERVED_KERNEL = 3
"""Up to this size the library is fast, where the map is not smaller than the kernel."""


def depthwise(maps: Tensor, weight: Tensor, stride: int) -> Tensor:
    """`F.conv2d` with a group for each channel, same padding and no bias.

    Args:
        maps: (batch, channels, height, width).
        weight: (channels, 1, kernel, kernel), the kernel odd.
    """
    if maps.device.type != "cpu":
        return F.conv2d(maps, weight, None, stride, weight.shape[-1] // 2, groups=len(weight))
    reach = 2 * max(maps.shape[2:]) - 1  # what lies further out meets padding alone
    if weight.shape[-1] > reach:
        weight = centre(weight, reach)
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        maps, weight = maps.to(dtype), weight.to(dtype)
    if reach == 1:
        return maps * weight.view(1, -1, 1, 1)
    out: Tensor = Depthwise.apply(maps, weight, stride)
    return out


def centre(weight: Tensor, size: int) -> Tensor:
    """The middle `size` by `size` of each filter."""
    edge = (weight.shape[-1] - size) // 2
    return weight[..., edge : edge + size, edge : edge + size] if edge else weight


class Depthwise(torch.autograd.Function):
    """Backward is in float32 at least: lower precisions are far slower there."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(maps, weight)
        ctx.stride = stride
        return F.conv2d(maps, weight, None, stride, weight.shape[-1] // 2, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        maps, weight = ctx.saved_tensors
        of_maps, of_weight, _ = ctx.needs_input_grad
        dtype = torch.promote_types(maps.dtype, torch.float32)
        grad, wide, kernel = grads[0].to(dtype), maps.to(dtype), weight.shape[-1]
        by_matrix = of_weight and pays(maps, kernel)
        with torch.autocast("cpu", enabled=False):
            found = torch.ops.aten.convolution_backward(
                grad,
                wide,
                weight.to(dtype),
                None,
                [ctx.stride] * 2,
                [kernel // 2] * 2,
                [1, 1],
                False,
                [0, 0],
                len(weight),
                [of_maps, of_weight and not by_matrix, False],
            )
            slopes = weight_gradient(wide, grad, kernel, ctx.stride) if by_matrix else found[1]
        return (
            found[0].to(maps.dtype) if of_maps else None,
            slopes.to(weight.dtype) if of_weight else None,
            None,
        )


def pays(maps: Tensor, kernel: int) -> bool:
    """Whether the matrix of positions is the faster way to the weights' gradient."""
    height, width = maps.shape[2:]
    served = kernel <= SERVED_KERNEL and min(height, width) >= kernel
    return max(height, width) <= MATRIX_SIDE and not served


def weight_gradient(maps: Tensor, grad: Tensor, kernel: int, stride: int) -> Tensor:
    """(channels, 1, kernel, kernel): the gradient of the weights of a depthwise convolution."""
    channels = maps.shape[1]
    of_positions = torch.bmm(by_channel(maps).transpose(1, 2), by_channel(grad))
    taps = taps_of(tuple(maps.shape[2:]), tuple(grad.shape[2:]), kernel, stride)
    return (of_positions.view(channels, -1) @ taps.to(grad)).view(channels, 1, kernel, kernel)


def by_channel(maps: Tensor) -> Tensor:
    """(channels, batch, positions), each channel in one piece of memory."""
    batch, channels, height, width = maps.shape
    rows = maps.permute(0, 2, 3, 1).reshape(-1, channels)
    return rows.t().contiguous().view(channels, batch, height * width)


@lru_cache(maxsize=256)
def taps_of(seen: tuple[int, int], made: tuple[int, int], kernel: int, stride: int) -> Tensor:
    """(positions seen · positions made, kernel · kernel): 1 where a tap joins the two."""
    rows, columns = (
        joined(inputs, outputs, kernel, stride)
        for inputs, outputs in zip(seen, made, strict=True)
    )
    return torch.einsum("ayp,bxq->abyxpq", rows, columns).reshape(-1, kernel * kernel)


def joined(inputs: int, outputs: int, kernel: int, stride: int) -> Tensor:
    """(inputs, outputs, kernel): 1 where a tap joins two places on a line."""
    tap = torch.arange(inputs)[:, None] - stride * torch.arange(outputs) + kernel // 2
    return (tap[..., None] == torch.arange(kernel)).float()
