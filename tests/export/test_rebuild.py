"""A network from its spec alone: of a family, or brought along."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from kdsearch.core.records import Architecture
from kdsearch.data.records import DataInfo, Split
from kdsearch.errors import UserError
from kdsearch.export.rebuild import rebuilt
from kdsearch.nets import FAMILIES
from kdsearch.output import Output
from kdsearch.teachers.make import Origin
from kdsearch.teachers.student import brought_student
from kdsearch.training.feed import Feed

ARCHITECTURE = {
    **{f"stage{s}.width": 2 * s for s in (1, 2, 3)},
    **{f"stage{s}.depth": 1 for s in (1, 2, 3)},
}
SPEC: dict[str, Any] = {
    "family": "resnet",
    "architecture": ARCHITECTURE,
    "channels": 1,
    "classes": ["a", "b", "c"],
    "size": 8,
    "mean": [0.5],
    "std": [0.2],
}
FACTORY = """
from torch import nn


def student():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 7),
    )
"""
IMAGES = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def brought_spec(origin: Origin) -> dict[str, Any]:
    return SPEC | {"family": None, "architecture": {}, "origin": asdict(origin)}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Origin:
    (tmp_path / "somebodys_own.py").write_text(FACTORY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "somebodys_own", raising=False)
    return Origin("module:somebodys_own:student", "resnet", {})


def feed() -> Feed:
    """Another one than the spec's blank images: what a student was taught on."""
    images = torch.randint(0, 255, (6, 1, 8, 8), dtype=torch.uint8)
    info = DataInfo("d", ("a", "b", "c"), 1, 8, (0.5,), (0.2,), {}, (), "f")
    return Feed(Split(images, torch.arange(6) % 3), info)


def says_the_same(one: nn.Module, other: nn.Module) -> bool:
    with torch.no_grad():
        ours: Output = one.eval()(IMAGES)
        theirs: Output = other.eval()(IMAGES)
    return torch.equal(ours.logits, theirs.logits) and len(ours.feats) == len(theirs.feats)


def test_a_network_of_a_family() -> None:
    student = FAMILIES["resnet"].student(Architecture.of(ARCHITECTURE), 1, 3)
    again = rebuilt(SPEC)
    again.load_state_dict(student.state_dict())
    assert says_the_same(student, again)


@pytest.mark.parametrize("size", [None, 16])
def test_a_module_with_a_head_of_its_own(module: Origin, size: int | None) -> None:
    """Its seven classes became three before it was taught, and do so again."""
    origin = Origin(module.network, "resnet", {}, size=size, mean=[0.3], std=[0.4])
    student = brought_student(origin, feed())
    again = rebuilt(brought_spec(origin))
    again.load_state_dict(student.state_dict())
    assert says_the_same(student, again)


def test_a_network_of_torchvision() -> None:
    origin = Origin("torchvision:shufflenet_v2_x0_5", "resnet", {}, size=32)
    student = brought_student(origin, feed())
    again = rebuilt(brought_spec(origin))
    again.load_state_dict(student.state_dict())
    assert says_the_same(student, again)


def test_code_that_is_not_here_is_named(module: Origin) -> None:
    lost = Origin("module:not_here:student", "resnet", {})
    with pytest.raises(UserError, match="cannot import 'not_here'"):
        rebuilt(brought_spec(lost))
