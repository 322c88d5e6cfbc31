"""What jobs stand on, and the students they start from."""

import pickle
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Job, Recipe
from kdsearch.data.load import load_search
from kdsearch.nets.brought import Brought
from kdsearch.search.rung import Rungs
from kdsearch.search.setting import Setting, load_supernet, new_student
from kdsearch.teachers.make import Origin
from kdsearch.training.feed import Feed

FACTORY = """
from torch import nn


def student():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3),
    )
"""


@pytest.fixture
def feed(ground: Setting) -> Feed:
    data = load_search(Path(ground.data))
    return Feed(data.train, data.info)


@pytest.fixture
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Origin:
    """A network of three classes from a user's module."""
    (tmp_path / "brought_along.py").write_text(FACTORY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "brought_along", raising=False)
    return Origin("module:brought_along:student", "resnet", {})


def job(setting: Setting, seed: int = 1) -> Job:
    smallest = Architecture.of(setting.space.smallest())
    return Job("one", 1, smallest, Recipe("hard"), seed, "nowhere")


def equal(one: nn.Module, other: nn.Module) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(
        torch.equal(t, theirs[n]) for n, t in ours.items()
    )


def images() -> Tensor:
    return torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_a_setting_travels(ground: Setting) -> None:
    assert pickle.loads(pickle.dumps(ground)) == ground


def test_fresh_weights_are_the_seeds(ground: Setting, feed: Feed) -> None:
    """Whatever the global generator holds, which stays as it is."""
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = new_student(ground, job(ground), feed)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert equal(one, new_student(ground, job(ground), feed))
    assert not equal(one, new_student(ground, job(ground, seed=2), feed))


def test_a_fresh_student_has_the_jobs_architecture(ground: Setting, feed: Feed) -> None:
    largest = replace(job(ground), architecture=Architecture.of(ground.space.largest()))
    small = new_student(ground, job(ground), feed)(images())
    large = new_student(ground, largest, feed)(images())
    assert small.logits.shape == large.logits.shape == (2, 10)
    assert (
        small.pooled is not None
        and small.pooled.shape[1] == ground.space.smallest()["stage3.width"]
    )
    assert (
        large.pooled is not None
        and large.pooled.shape[1] == ground.space.largest()["stage3.width"]
    )


def test_a_brought_student_is_the_seeds_too(
    ground: Setting, feed: Feed, brought: Origin
) -> None:
    """Its own weights, and a fresh head for the data's classes."""
    setting = replace(ground, student=brought)
    one = new_student(setting, job(ground), feed)
    assert isinstance(one, Brought)
    assert one(images()).logits.shape == (2, 10)
    assert equal(one, new_student(setting, job(ground), feed))
    assert not equal(one, new_student(setting, job(ground, seed=2), feed))


def test_with_a_supernet_a_student_starts_from_inherited_weights(ground: Setting) -> None:
    inherited = Rungs(ground, Silent()).student(job(ground))
    assert equal(inherited, Rungs(ground, Silent()).student(job(ground, seed=2)))
    fresh = Rungs(replace(ground, supernet=None), Silent()).student(job(ground))
    assert not equal(inherited, fresh)


def test_the_supernet_is_the_stored_one(ground: Setting) -> None:
    data = load_search(Path(ground.data))
    supernet = load_supernet(ground, data)
    largest = Architecture.of(ground.space.largest())
    assert equal(supernet, load_supernet(ground, data))
    assert supernet.carve(largest)(images()).logits.shape == (2, 10)
