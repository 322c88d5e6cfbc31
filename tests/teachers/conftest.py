"""What the teacher tests share: a course on a small data set, a module that a user wrote."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.data.records import DataInfo, Split
from kdsearch.files import content_hash
from kdsearch.teachers.training import Course, Pool, Shaping
from kdsearch.training.feed import Feed
from kdsearch.training.plan import Plan

FACTORY = """
import torch
from torch import nn


def teacher():
    torch.manual_seed({seed})
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.1),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, {classes}),
    )


def number():
    return 7


def fails():
    raise KeyError("no weights at home")


def takes(one):
    return teacher()
"""


@pytest.fixture(scope="session")
def feed() -> Feed:
    """Sixty grey images of 8 px in three classes that differ in brightness."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(60) % 3
    noise = torch.randint(0, 60, (60, 1, 8, 8), generator=generator)
    images = (noise + 90 * labels.view(-1, 1, 1, 1)).to(torch.uint8)
    pixels = images.float() / 255
    info = DataInfo(
        name="brightness",
        classes=("dark", "grey", "light"),
        channels=1,
        size=8,
        mean=(float(pixels.mean()),),
        std=(float(pixels.std()),),
        counts={"train": 60},
        skipped=(),
        fingerprint="brightness",
    )
    return Feed(Split(images, labels), info)


@pytest.fixture(scope="session")
def pool() -> Pool:
    """Sixty-four students of 2 to 12 channels."""
    axes = {f"stage{s}.width": Choice((2, 4 * s)) for s in (1, 2, 3)}
    space = Space(axes | {f"stage{s}.depth": Choice((1, 2)) for s in (1, 2, 3)})
    return Pool("resnet", space, Architecture.of(space.smallest()))


@pytest.fixture
def course(feed: Feed, pool: Pool, tmp_path: Path) -> Course:
    plan = Plan(steps=40, batch_size=20, learning_rate=0.05, weight_decay=1e-3, seed=5)
    return Course(feed, plan, tmp_path / "checkpoint", Silent(), Shaping(pool))


@pytest.fixture
def factory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[..., str]:
    """Writes a module of the user's that builds teachers; gives `pkg.mod`."""

    def write(*, classes: int = 3, seed: int = 0) -> str:
        name = f"teachers_{content_hash([request.node.nodeid, classes, seed])}"
        (tmp_path / f"{name}.py").write_text(FACTORY.format(classes=classes, seed=seed))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return write
