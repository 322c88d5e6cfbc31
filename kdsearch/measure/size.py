"""Parameters and multiply-accumulates of a network; FLOPs = 2 x MACs."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def params(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def macs(module: nn.Module, shape: Sequence[int]) -> int:
    """Multiply-accumulates for one image of `shape` (channels, height, width).

    Counted on the meta device: nothing is computed, and attention's fused path, which the
    counter overlooks elsewhere, is not taken.
    """
    outline = without_norms(copy.deepcopy(module)).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        outline(torch.empty(1, *shape, device="meta"))
    return int(counter.get_total_flops()) // 2


def without_norms(module: nn.Module) -> nn.Module:
    """The module with batch norms that do nothing, in place: they count nothing, and on the
    meta device they take half the time. Somebody's forward may still look at their parts."""
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.forward = unchanged  # type: ignore[assignment, method-assign]
    return module


def unchanged(maps: Tensor) -> Tensor:
    return maps
