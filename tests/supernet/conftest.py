"""What the supernet tests share: a small space, a supernet whose norms do something."""

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.space import Choice, Space
from kdsearch.nets import FAMILIES

CLASSES = 5


@pytest.fixture(scope="session")
def space() -> Space:
    widths = {f"stage{s}.width": Choice((2 * s, 3 * s, 4 * s)) for s in (1, 2, 3)}
    return Space(widths | {f"stage{s}.depth": Choice((1, 2)) for s in (1, 2, 3)})


@pytest.fixture
def supernet(space: Space) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = FAMILIES["resnet"].supernet(space, 1, CLASSES)
    with torch.no_grad():
        for name, value in [*net.named_parameters(), *net.named_buffers()]:
            if value.ndim == 1 and value.is_floating_point():
                low = 0.5 if name.endswith(("running_var", "weight")) else -0.5
                value.uniform_(low, low + 1, generator=generator)
    return net


@pytest.fixture(scope="session")
def images() -> Tensor:
    return torch.randn(24, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="session")
def labels() -> Tensor:
    return torch.arange(24) % CLASSES


@pytest.fixture(scope="session")
def batch(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    return images, labels
