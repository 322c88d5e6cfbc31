"""Shared prefixes change how often something is computed, and nothing else."""

import random

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.measure.accuracy import predict
from kdsearch.supernet.evaluate import inherit
from kdsearch.supernet.prefixes import Prefixes, ideal_ratio, in_order


@pytest.fixture
def everyone(space: Space) -> list[Architecture]:
    rng = random.Random(0)
    drawn = [space.draw(rng) for _ in range(20)]
    ends = [space.largest(), space.smallest()]
    return sorted({Architecture.of(point) for point in (*ends, *drawn)})


@pytest.mark.parametrize("limit", [2**31, 20_000, 0])
def test_logits_are_those_of_each_student_alone(
    supernet: nn.Module, everyone: list[Architecture], images: Tensor, limit: int
) -> None:
    """In any order, and with however little memory."""
    batches = [images[:10], images[10:]]
    prefixes = Prefixes(supernet, batches, images, batch_size=9, limit=limit)
    random.Random(1).shuffle(everyone)
    for architecture in everyone:
        alone = predict(inherit(supernet, architecture, batches), images, 9)
        torch.testing.assert_close(prefixes.logits(architecture), alone, rtol=0, atol=1e-6)


def test_in_order_nothing_is_computed_twice(
    supernet: nn.Module, everyone: list[Architecture], images: Tensor
) -> None:
    alone = sum(len(supernet.segments(a)) for a in everyone)
    computed = {}
    for limit in (2**31, 0):
        prefixes = Prefixes(supernet, [images], images, limit=limit)
        for architecture in in_order(supernet, everyone):
            prefixes.logits(architecture)
        computed[limit] = prefixes.computed
    assert computed[2**31] == round(alone / ideal_ratio(supernet, everyone))
    assert computed[2**31] < computed[0] <= alone


def test_the_ideal_by_hand(supernet: nn.Module, space: Space) -> None:
    """Two students alike but for the last stage's depth: stem, five blocks, head; one more."""
    point = {**space.smallest(), "stage1.depth": 2, "stage2.depth": 2}
    two = [Architecture.of({**point, "stage3.depth": depth}) for depth in (1, 2)]
    assert [len(supernet.segments(a)) for a in two] == [7, 8]
    assert ideal_ratio(supernet, two) == pytest.approx(15 / 9)


def test_little_memory_is_kept(
    supernet: nn.Module, everyone: list[Architecture], images: Tensor
) -> None:
    prefixes = Prefixes(supernet, [images], images, limit=30_000)
    for architecture in in_order(supernet, everyone):
        prefixes.logits(architecture)
        assert sum(level.bytes for level in prefixes.stack[:-1]) <= 30_000


def test_the_supernet_is_left_as_it_was(
    supernet: nn.Module, everyone: list[Architecture], images: Tensor
) -> None:
    supernet.train()
    before = {name: value.clone() for name, value in supernet.state_dict().items()}
    Prefixes(supernet, [images], images).logits(everyone[0])
    assert all(torch.equal(before[name], v) for name, v in supernet.state_dict().items())
    assert supernet.training
