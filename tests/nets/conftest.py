"""What the network tests share: weights and statistics that hide nothing."""

from collections.abc import Callable

import pytest
import torch
from torch import nn


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
