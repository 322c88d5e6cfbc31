"""What the network tests share: weights and statistics that hide nothing, and slices."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from kdsearch.nets.scaled import ScaledConv2d, ScaledDoubling2d, ScaledLinear


def stir(network: nn.Module, seed: int = 0) -> nn.Module:
    """Gives every parameter and statistic a value of its own, also what starts at 0 or 1."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(like: torch.Tensor, low: float, high: float) -> torch.Tensor:
        return torch.empty_like(like).uniform_(low, high, generator=generator)

    with torch.no_grad():
        for name, value in [*network.named_parameters(), *network.named_buffers()]:
            if not value.is_floating_point():
                continue
            if name.endswith("running_var"):
                value.copy_(uniform(value, 0.5, 2.0))
            elif value.ndim == 1:
                value.add_(uniform(value, -0.5, 0.5))
            else:
                value.add_(uniform(value, -0.1, 0.1))
    return network


@pytest.fixture(scope="session")
def stirred() -> Callable[..., nn.Module]:
    return stir


def cut(narrow: nn.Module, widest: nn.Module) -> nn.Module:
    """Fills `narrow` with the leading slices of `widest`, and multiplies the weights that see
    fewer inputs by sqrt(widest / active), the scale that the widest one would apply."""
    source = widest.state_dict()
    with torch.no_grad():
        for name, value in narrow.state_dict().items():
            value.copy_(source[name][tuple(slice(0, n) for n in value.shape)])
        for few, all_ in zip(narrow.modules(), widest.modules(), strict=True):
            if isinstance(few, ScaledLinear):
                few.widest.weight *= math.sqrt(all_.widest.in_features / few.widest.in_features)
            elif isinstance(few, ScaledConv2d | ScaledDoubling2d):
                few.widest.weight *= math.sqrt(all_.widest.in_channels / few.widest.in_channels)
    return narrow


@pytest.fixture(scope="session")
def sliced() -> Callable[[nn.Module, nn.Module], nn.Module]:
    return cut
