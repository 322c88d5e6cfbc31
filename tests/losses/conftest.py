"""What the tests of formulas share: inputs that anyone can make again."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

Waves = Callable[..., Tensor]


@pytest.fixture(scope="session")
def waves() -> Waves:
    """scale (sin(0.37 k + phase) + 0.5 cos(1.71 k + 2 phase)) for k = 0, 1, … row by row."""

    def made(shape: tuple[int, ...], phase: float, scale: float = 1.0) -> Tensor:
        k = torch.arange(math.prod(shape), dtype=torch.float64)
        wave = (0.37 * k + phase).sin() + 0.5 * (1.71 * k + 2 * phase).cos()
        return (scale * wave).view(shape)

    return made
