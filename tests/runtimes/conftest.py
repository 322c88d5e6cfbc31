"""Networks that runtimes are tried on."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

Make = Callable[[], nn.Module]


@pytest.fixture(scope="session")
def network() -> Make:
    def make() -> nn.Module:
        torch.manual_seed(0)
        layers = (
            nn.Conv2d(2, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64, 3),
        )
        net = nn.Sequential(*layers)
        net(torch.randn(32, 2, 6, 6))  # in training: the norm's statistics become non-trivial
        return net

    return make
