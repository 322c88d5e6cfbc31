"""The feed: what a step is shown beside its images, as a function of plan and step alone."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import pytest
import torch
from torch import Tensor

from kdsearch.data.records import DataInfo, Split
from kdsearch.distill.method import View
from kdsearch.training.feed import TURNS, Feed
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch, Shows

COUNT, BATCH, CLASSES = 70, 16, 3
PLAN = Plan(steps=20, batch_size=BATCH, learning_rate=0.1, weight_decay=0.0, seed=4)
VIEWS: tuple[View, ...] = ("again", "same class", "90", "180", "270")


@pytest.fixture
def numbered() -> Feed:
    """Images of one grey each, by which they are known again, except for a bright corner."""
    images = torch.arange(COUNT, dtype=torch.uint8)[:, None, None, None].repeat(1, 1, 4, 4)
    images[:, :, 0, 0] = 200 + torch.arange(COUNT, dtype=torch.uint8)[:, None] % 50
    info = DataInfo(
        name="numbered",
        classes=tuple("abc"),
        channels=1,
        size=4,
        mean=(0.0,),
        std=(1 / 255,),
        counts={"train": COUNT},
        skipped=(),
        fingerprint="numbered",
    )
    return Feed(Split(images, torch.arange(COUNT) ** 2 % CLASSES), info)


def numbers(images: Tensor) -> list[int]:
    """Which images these are, turned or not."""
    return [int(number) for number in images[:, 0, 1, 1].round()]


def steps(feed: Feed, shows: Shows, plan: Plan = PLAN, start: int = 0) -> Iterator[Batch]:
    return feed.batches(plan, shows, start, plan.steps)


def test_without_a_wish_there_is_one_block(numbered: Feed) -> None:
    for batch in steps(numbered, Shows()):
        assert batch.images.shape == (BATCH, 1, 4, 4) and batch.ahead == ()
        assert numbers(batch.images) == batch.indices.tolist()
        assert torch.equal(batch.labels, numbered.split.labels[batch.indices])


def test_blocks_follow_in_the_order_of_the_views(numbered: Feed) -> None:
    for batch in steps(numbered, Shows(VIEWS)):
        images, again, others, *turned = batch.images.split(BATCH)
        assert len(batch.labels) == len(batch.indices) == BATCH
        assert torch.equal(again, images)  # nothing is augmented
        for turns, block in enumerate(turned, 1):
            assert torch.equal(block, torch.rot90(images, turns, (2, 3)))
            assert not torch.equal(block, images)
        assert torch.equal(numbered.split.labels[numbers(others)], batch.labels)
        assert numbers(others) != numbers(images)


def test_turns_are_named_by_their_degrees() -> None:
    assert {view: 90 * turns for view, turns in TURNS.items()} == {
        "90": 90,
        "180": 180,
        "270": 270,
    }


def test_every_view_is_augmented_by_itself(numbered: Feed) -> None:
    plan = replace(PLAN, augment="shift", steps=3)
    for batch in steps(numbered, Shows(("again", "180")), plan):
        images, again, half = batch.images.split(BATCH)
        upright = torch.rot90(half, 2, (2, 3))
        assert not torch.equal(images, again)
        assert not torch.equal(images, upright) and not torch.equal(again, upright)
        assert batch.images.is_contiguous(memory_format=torch.channels_last)


def test_views_do_not_change_the_images_themselves(numbered: Feed) -> None:
    plan = replace(PLAN, augment="shift")
    alone = list(steps(numbered, Shows(), plan))
    for plain, shown in zip(alone, steps(numbered, Shows(VIEWS, 2), plan), strict=True):
        assert torch.equal(plain.images, shown.images[:BATCH])
        assert torch.equal(plain.labels, shown.labels)


def same(one: Batch, other: Batch) -> bool:
    pairs = [(one.images, other.images), (one.labels, other.labels)]
    for ours, theirs in zip(one.ahead, other.ahead, strict=True):
        pairs += zip(ours, theirs, strict=True)
    return all(torch.equal(a, b) for a, b in pairs) and one[2:5] == other[2:5]


@pytest.mark.parametrize("start", [1, 3, 4, 17])
def test_a_step_is_the_same_wherever_the_run_starts(numbered: Feed, start: int) -> None:
    plan = replace(PLAN, augment="shift-flip")
    shows = Shows(VIEWS, 2)
    whole = list(steps(numbered, shows, plan))
    torch.manual_seed(start)
    later = list(steps(numbered, shows, plan, start))
    assert all(same(a, b) for a, b in zip(whole[start:], later, strict=True))
    other = list(steps(numbered, shows, replace(plan, seed=5)))
    assert not any(same(a, b) for a, b in zip(whole, other, strict=True))


def test_torchs_own_generator_is_at_the_same_place_in_each_step(numbered: Feed) -> None:
    def drawn(shows: Shows, start: int) -> list[float]:
        return [float(torch.rand(())) for _ in steps(numbered, shows, start=start)]

    whole = drawn(Shows(), 0)
    assert len(set(whole)) == len(whole)
    assert drawn(Shows(VIEWS, 1), 5) == whole[5:]


def test_batches_ahead_are_others_with_their_own_labels(numbered: Feed) -> None:
    for batch in steps(numbered, Shows(ahead=3)):
        assert len(batch.ahead) == 3
        shown = [set(batch.indices.tolist())]
        for images, labels in batch.ahead:
            assert images.shape == batch.images.shape
            assert torch.equal(numbered.split.labels[numbers(images)], labels)
            shown.append(set(numbers(images)))
        assert len({frozenset(one) for one in shown}) == 4


def test_batches_ahead_visit_every_image_of_an_epoch_once(numbered: Feed) -> None:
    """Four batches of 16 of the 70 images, as the student's own."""
    for ahead in (0, 1):
        epoch = [b.ahead[ahead][0] for b in islice(steps(numbered, Shows((), 2)), 4)]
        seen = [number for images in epoch for number in numbers(images)]
        assert len(seen) == len(set(seen)) == 64


def test_progress_and_the_epochs_first_step(numbered: Feed) -> None:
    batches = list(steps(numbered, Shows()))
    assert [batch.step for batch in batches] == list(range(20))
    assert [batch.progress for batch in batches] == [step / 20 for step in range(20)]
    assert [batch.step for batch in batches if batch.opens_epoch] == [0, 4, 8, 12, 16]


def test_a_set_smaller_than_a_batch_is_one(numbered: Feed) -> None:
    few = Feed(Split(numbered.split.images[:5], numbered.split.labels[:5]), numbered.info)
    for batch in steps(few, Shows(("same class", "90"), 1)):
        assert len(batch.images) == 15 and batch.opens_epoch
        assert len(batch.ahead[0][0]) == 5


def test_a_sample_is_two_images_and_the_sets_numbers(numbered: Feed) -> None:
    sample = numbered.sample(16)
    assert sample.images.shape == (2, 1, 4, 4) and numbers(sample.images) == [0, 1]
    assert sample[1:] == (CLASSES, COUNT, 16, None)
