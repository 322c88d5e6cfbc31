"""What a forward pass does: the same MACs as `size` counts, bytes and calls by hand."""

import pytest
import torch
from torch import nn

from kdsearch.core.records import Architecture
from kdsearch.measure.footprint import footprint, footprint_of, totals
from kdsearch.measure.size import macs
from kdsearch.nets import FAMILIES
from kdsearch.spaces import list_spaces, load_space


@pytest.mark.parametrize("name", list_spaces())
def test_macs_are_those_that_size_counts(name: str) -> None:
    found = load_space(name)
    architecture = Architecture.of(found.space.largest())
    size = found.min_size

    def build(one: Architecture) -> nn.Module:
        return FAMILIES[found.family].student(one, 3, 10)

    with torch.device("meta"):
        network = build(architecture)
    counted = footprint_of(build, architecture, (3, size, size))
    assert totals(counted)["macs"] == macs(network, (3, size, size))


def test_a_network_counted_by_hand() -> None:
    """A convolution of 3x3 from 2 to 4 channels on 8x8 with stride 2, a depthwise one, ReLU, a
    linear layer: MACs 4·2·9·16, 4·9·16, 640; numbers read and written, times 4 bytes."""
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3, stride=2, padding=1, bias=False),
        nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64, 10),
    )
    assert footprint(network, (2, 8, 8)) == {
        "convolution 3x3 on 4 bytes": 4.0 * (128 + 72 + 64),
        "convolution 3x3 on 4 calls": 1.0,
        "convolution 3x3 on 4 macs": 1152.0,
        "depthwise 3x3 on 4 bytes": 4.0 * (64 + 36 + 64),
        "depthwise 3x3 on 4 calls": 1.0,
        "depthwise 3x3 on 4 macs": 576.0,
        "pointwise bytes": 4.0 * 128,
        "pointwise calls": 1.0,
        "product bytes": 4.0 * (64 + 640 + 10 + 10),
        "product calls": 1.0,
        "product macs": 640.0,
    }


def test_looking_at_numbers_in_another_shape_moves_nothing() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Unflatten(1, (4, 16)), nn.Flatten(0))
    assert footprint(network, (1, 8, 8)) == {}
