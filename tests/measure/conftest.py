"""Measured networks to learn from, whose true latency is known."""

import random
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from torch import nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.core.spread import spread
from kdsearch.measure.footprint import footprint_of, totals
from kdsearch.measure.predict import Sample

SPACE = Space(
    {
        "width": Choice((4, 8, 12, 16)),
        "depth": Choice((1, 2, 3, 4)),
        "kernel": Choice((1, 3, 5)),
        "hidden": Choice((8, 16, 32, 64)),
    }
)
SHAPE = (1, 8, 8)

Samples = Callable[..., list[Sample]]


@pytest.fixture(scope="session")
def build() -> Callable[[Architecture], nn.Module]:
    return student


@pytest.fixture(scope="session")
def learning_space() -> Space:
    return SPACE


def student(architecture: Architecture) -> nn.Module:
    """`depth` convolutions over one-channel images, and a perceptron."""
    width, kernel, hidden = (int(architecture[n]) for n in ("width", "kernel", "hidden"))
    layers: list[nn.Module] = [nn.Conv2d(1, width, 3, padding=1), nn.ReLU()]
    for _ in range(int(architecture["depth"]) - 1):
        layers += [nn.Conv2d(width, width, kernel, padding=kernel // 2), nn.ReLU()]
    last = [nn.Linear(width * 64, hidden), nn.ReLU(), nn.Linear(hidden, 10)]
    return nn.Sequential(*layers, nn.Flatten(), *last)


def true_ms(footprint: Mapping[str, float]) -> float:
    """Every call 2 µs, every megabyte 0.1 ms, every million MACs 0.2 ms, linear layers' 0.5."""
    products = footprint.get("product macs", 0.0)
    whole = totals(footprint)
    return (
        0.002 * whole["calls"]
        + 1e-7 * whole["bytes"]
        + 2e-7 * (whole["macs"] - products)
        + 5e-7 * products
    )


@pytest.fixture(scope="session")
def footprints() -> Sequence[tuple[Architecture, dict[str, float]]]:
    """120 networks of the space, in random order."""
    chosen = [Architecture.of(point) for point in spread(SPACE, 120, 0)]
    random.Random(0).shuffle(chosen)
    return [(a, footprint_of(student, a, SHAPE)) for a in chosen]


@pytest.fixture(scope="session")
def samples(footprints: Sequence[tuple[Architecture, dict[str, float]]]) -> Samples:
    """The first `count` networks, measured with an error of `noise`."""

    def measured(count: int, noise: float = 0.03, seed: int = 0) -> list[Sample]:
        rng = np.random.default_rng(seed)
        return [
            Sample(a, prints, true_ms(prints) * float(np.exp(rng.normal(0, noise))))
            for a, prints in footprints[:count]
        ]

    return measured
