"""A student of the only family with statistics of its own, and images to try it on."""

import pytest
import torch
from torch import nn

from kdsearch.core.records import Architecture
from kdsearch.export.original import Original
from kdsearch.export.pt2 import Pt2
from kdsearch.nets import FAMILIES

CHOICES = {f"stage{s}.{axis}": s for s in (1, 2, 3) for axis in ("width", "depth")}


@pytest.fixture(scope="session")
def spec():
    return {
        "family": "resnet",
        "architecture": CHOICES | {"stage1.width": 2},
        "channels": 2,
        "classes": ["cat", "dog", "bird"],
        "size": 8,
        "mean": [0.4, 0.5],
        "std": [0.2, 0.3],
    }


@pytest.fixture(scope="session")
def student(spec):
    torch.manual_seed(0)
    net = FAMILIES["resnet"].student(Architecture.of(spec["architecture"]), 2, 3)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return net.eval()


@pytest.fixture(scope="session")
def pixels():
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (80, 2, 8, 8), dtype=torch.uint8, generator=generator)


@pytest.fixture(scope="session")
def original(student, spec, pixels):
    """Traced once, and converted once, for all formats."""
    return Original(student, spec, pixels)


@pytest.fixture(scope="session")
def images(original, pixels):
    return original.normalised(pixels)


@pytest.fixture(scope="session")
def expected(student, images):
    with torch.no_grad():
        return student(images).logits.numpy()


@pytest.fixture(scope="session")
def written_pt2(original, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written-pt2")
    Pt2().write(original, folder)
    return folder
