"""Channels are sorted where expansions open, once, also in a run that was cut off."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.data.records import DataInfo, Split
from kdsearch.distill.hard import Hard
from kdsearch.nets import FAMILIES
from kdsearch.nets.channel_sorting import importance
from kdsearch.supernet import shrink
from kdsearch.supernet.policies import POLICIES
from kdsearch.supernet.policies.policy import Terms
from kdsearch.supernet.shrink import fit_sorting
from kdsearch.supernet.teaching import Teaching
from kdsearch.supernet.train import Sampling, SupernetTask
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling
from kdsearch.training.plan import Plan

SPACE = Space(
    {f"stage{s}.width": Choice((8,)) for s in (1, 2)}
    | {f"stage{s}.depth": Choice((1,)) for s in (1, 2)}
    | {f"stage{s}.block1.kernel": Choice((3,)) for s in (1, 2)}
    | {f"stage{s}.block1.expand": Choice((1, 2, 3)) for s in (1, 2)}
)
PLAN = Plan(steps=30, batch_size=8, learning_rate=0.05, weight_decay=0.0, seed=0)
TELL = Telling(Silent(), "supernet")


@pytest.fixture
def feed() -> Feed:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(40) % 2
    images = torch.randint(0, 100, (40, 1, 8, 8), generator=generator)
    images[labels == 1, :, :4] += 150
    info = DataInfo("halves", tuple("ab"), 1, 8, (0.4,), (0.3,), {"train": 40}, (), "halves")
    return Feed(Split(images.to(torch.uint8), labels), info)


def task_of(feed: Feed) -> SupernetTask:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = FAMILIES["mobile"].supernet(SPACE, 1, 2)
    policy = POLICIES["sandwich"](Terms(SPACE, 1, 0, None, lambda student: 1.0))
    sampling = Sampling(SPACE, policy, 0, ("expand",), 0.9)
    teaching = Teaching(Hard(), None)
    return SupernetTask(net, None, sampling, teaching, feed.sample(8), precision="float32")


def trained(feed: Feed, checkpoint: Path) -> dict[str, torch.Tensor]:
    task = task_of(feed)
    fit_sorting(task, feed, PLAN, checkpoint, TELL)
    return {name: value.clone() for name, value in task.module.state_dict().items()}


@pytest.fixture
def sortings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[float]]]:
    """Which smaller expansions were open at each sorting; each leaves the largest as it was."""
    found: list[list[float]] = []
    sort = shrink.sort_channels

    def watched(net: nn.Module, opened: list[float]) -> None:
        found.append(opened)
        images = torch.randn(4, 1, 8, 8)
        largest = Architecture.of(SPACE.largest())
        with torch.no_grad():
            net.eval()
            before = net(images, largest).logits
            sort(net, opened)
            torch.testing.assert_close(net(images, largest).logits, before, rtol=0, atol=1e-5)
            net.train()
        if not opened:
            weight = net.stages[0][0].project.widest.weight  # type: ignore[index, union-attr]
            assert bool((importance(weight).diff() <= 0).all())

    monkeypatch.setattr(shrink, "sort_channels", watched)
    yield found


def test_channels_are_sorted_once_at_each_opening(
    feed: Feed, tmp_path: Path, sortings: list[list[float]]
) -> None:
    trained(feed, tmp_path / "a.safetensors")
    assert sortings == [[], [2.0]]


def test_a_run_cut_off_anywhere_comes_to_the_same(
    feed: Feed, tmp_path: Path, sortings: list[list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(feed, tmp_path / "a.safetensors")
    fit, calls = shrink.fit, [0]
    for stop in (2, 3):  # after the first sorting, after the second

        def cut(*arguments: object, stop: int = stop, **more: object) -> object:
            calls[0] += 1
            if calls[0] == stop:
                raise KeyboardInterrupt
            return fit(*arguments, **more)  # type: ignore[arg-type]

        calls[0] = 0
        sortings.clear()
        path = tmp_path / f"{stop}.safetensors"
        monkeypatch.setattr(shrink, "fit", cut)
        with pytest.raises(KeyboardInterrupt):
            trained(feed, path)
        monkeypatch.setattr(shrink, "fit", fit)
        again = trained(feed, path)
        assert sortings == [[], [2.0]]  # none is done twice
        assert all(torch.equal(again[name], value) for name, value in whole.items())
