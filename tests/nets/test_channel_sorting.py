"""Sorted channels: the largest student computes the same, narrower ones get the best ones."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.nets import FAMILIES
from kdsearch.nets.channel_sorting import descending, importance, sort_channels
from kdsearch.nets.inverted_bottleneck import ElasticInvertedBottleneck
from kdsearch.nets.mobile import ElasticMobile

BLOCKS = [f"stage{s}.block{b}" for s in (1, 2, 3) for b in (1, 2)]
SPACE = Space(
    {f"stage{s}.width": Choice((8 * s,)) for s in (1, 2, 3)}
    | {f"stage{s}.depth": Choice((1, 2)) for s in (1, 2, 3)}
    | {f"{block}.kernel": Choice((3, 5)) for block in BLOCKS}
    | {f"{block}.expand": Choice((3, 4, 6)) for block in BLOCKS}
    | {"kernel_transform": Choice((1,))}
)
LARGEST = Architecture.of(SPACE.largest())


@pytest.fixture
def net(stirred: Callable[..., nn.Module]) -> ElasticMobile:
    torch.manual_seed(0)
    net = stirred(FAMILIES["mobile"].supernet(SPACE, 3, 5))
    assert isinstance(net, ElasticMobile)
    return net


def blocks(net: nn.Module) -> list[ElasticInvertedBottleneck]:
    return [m for m in net.modules() if isinstance(m, ElasticInvertedBottleneck)]


def with_expand(ratio: int) -> Architecture:
    ratios = {f"{block}.expand": ratio for block in BLOCKS}
    return Architecture.of(SPACE.largest() | ratios)


@torch.no_grad()
@pytest.mark.parametrize("training", [False, True])
def test_the_largest_student_computes_what_it_did(net: ElasticMobile, training: bool) -> None:
    images, sorted_ = torch.randn(4, 3, 8, 8), copy.deepcopy(net)
    sort_channels(sorted_)
    assert not torch.equal(
        blocks(net)[0].expand.widest.weight, blocks(sorted_)[0].expand.widest.weight
    )
    for architecture in (LARGEST, Architecture.of({**LARGEST.as_dict(), "stage2.depth": 1})):
        before = net.train(training)(images, architecture)
        after = sorted_.train(training)(images, architecture)
        assert float(before.logits.std()) > 0.05
        torch.testing.assert_close(after.logits, before.logits, rtol=0, atol=1e-5)
        narrow = net(images, with_expand(3)).logits, sorted_(images, with_expand(3)).logits
        assert not torch.allclose(*narrow, atol=1e-3)  # others of its channels are in use


def test_channels_go_from_important_to_not(net: ElasticMobile) -> None:
    def orders() -> list[torch.Tensor]:
        found = []
        for block in blocks(net):
            found.append(importance(block.project.widest.weight.detach()))
            if block.squeeze is not None:
                found.append(importance(block.squeeze.expand.widest.weight.detach()))
        return found

    before = orders()
    assert len(before) == 6 + 4
    sort_channels(net)
    for old, new in zip(before, orders(), strict=True):
        assert not torch.equal(old, new)
        torch.testing.assert_close(new, old.sort(descending=True).values)


@torch.no_grad()
def test_students_of_opened_expansions_stay_the_same(net: ElasticMobile) -> None:
    images, sorted_ = torch.randn(4, 3, 8, 8), copy.deepcopy(net).eval()
    sort_channels(sorted_, opened=(4,))
    net.eval()
    for ratio in (4, 6):
        before, after = net(images, with_expand(ratio)), sorted_(images, with_expand(ratio))
        torch.testing.assert_close(after.logits, before.logits, rtol=0, atol=1e-5)
    narrow = net(images, with_expand(3)).logits, sorted_(images, with_expand(3)).logits
    assert not torch.allclose(*narrow, atol=1e-3)


def test_bands_are_sorted_one_by_one() -> None:
    values = torch.tensor([1.0, 3.0, 2.0, 9.0, 9.0, 5.0, 7.0])
    assert descending(values).tolist() == [3, 4, 6, 5, 1, 2, 0]
    assert descending(values, (3, 5)).tolist() == [1, 2, 0, 3, 4, 6, 5]
    assert descending(values, (7, 3, 3)).tolist() == [1, 2, 0, 3, 4, 6, 5]


def test_importance_by_hand() -> None:
    weight = torch.tensor([[1.0, -2.0, 0.0], [-3.0, 1.0, 0.5]])[:, :, None, None]
    assert importance(weight).tolist() == [4.0, 3.0, 0.5]


def test_parameters_stay_the_optimisers(net: ElasticMobile) -> None:
    before = [id(p) for p in net.parameters()]
    sort_channels(net)
    assert [id(p) for p in net.parameters()] == before
    assert all(p.requires_grad and p.is_leaf for p in net.parameters())


def test_other_families_are_left_alone() -> None:
    axes = {f"stage{s}.{a}": Choice((1, 2)) for s in (1, 2, 3) for a in ("width", "depth")}
    net = FAMILIES["resnet"].supernet(Space(axes), 3, 5)
    before = copy.deepcopy(net.state_dict())
    sort_channels(net)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
