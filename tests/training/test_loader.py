"""Batches of a DataLoader: as it gives them, the same again after a stop, or one clear line."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from kdsearch.errors import UserError
from kdsearch.training.fit import own_randomness
from kdsearch.training.loader import LoaderFeed, first_batch
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch, Shows

PLAN = Plan(steps=12, batch_size=4, learning_rate=0.1, weight_decay=0.0, seed=5)
IMAGES = torch.rand(10, 3, 6, 6, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(10) % 3
DATA = TensorDataset(IMAGES, LABELS)

Loader = Callable[[], DataLoader[Any]]


class Noisy(Dataset[Any]):
    """Images with noise from torch's global generator, as torchvision's transforms draw it."""

    def __len__(self) -> int:
        return len(LABELS)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return IMAGES[index] + torch.rand(1), LABELS[index]


class Endless(IterableDataset[Any]):
    def __iter__(self) -> Iterator[tuple[Tensor, int]]:
        yield IMAGES[0], 1


def feed(loader: DataLoader[Any] | None = None) -> LoaderFeed:
    return LoaderFeed(loader or DataLoader(DATA, batch_size=4), "cpu", 3)


def drawn(
    loader: DataLoader[Any], start: int = 0, until: int = 12, shows: Shows | None = None
) -> list[Batch]:
    with own_randomness():
        return list(feed(loader).batches(PLAN, shows or Shows(), start, until))


def test_batches_are_the_loaders() -> None:
    found = drawn(DataLoader(DATA, batch_size=4))
    assert [len(batch.labels) for batch in found] == [4, 4, 2] * 4
    assert torch.equal(torch.cat([batch.images for batch in found[:3]]), IMAGES)
    assert torch.equal(torch.cat([batch.labels for batch in found[3:6]]), LABELS)
    assert [batch.step for batch in found] == list(range(12))
    assert [batch.progress for batch in found] == [step / 12 for step in range(12)]
    assert [batch.opens_epoch for batch in found[:7]] == [True, False, False] * 2 + [True]
    assert all(batch.indices is None and batch.ahead == () for batch in found)
    assert found[0].images.is_contiguous(memory_format=torch.channels_last)


def test_a_sample_has_the_sets_numbers() -> None:
    sample = feed().sample(4)
    assert torch.equal(sample.images, IMAGES[:2])
    assert sample[1:] == (3, 12, 4, None)


def test_views_are_turned() -> None:
    (batch,) = drawn(DataLoader(DATA, batch_size=4), until=1, shows=Shows(("90", "180", "270")))
    blocks = torch.chunk(batch.images, 4)
    for quarter_turns, block in enumerate(blocks):
        assert torch.equal(block, torch.rot90(IMAGES[:4], quarter_turns, (2, 3)))
    assert torch.equal(batch.labels, LABELS[:4])


@pytest.mark.parametrize("view", ["again", "same class"])
def test_other_views_cannot_be_asked_for(view: Any) -> None:
    with pytest.raises(UserError, match=f"images of the '{view}' kind .*`kdsearch distill`"):
        drawn(DataLoader(DATA, batch_size=4), shows=Shows((view,)))


def test_a_teacher_that_leads_gets_batches_of_its_own() -> None:
    found = drawn(DataLoader(DATA, batch_size=4), until=6, shows=Shows((), ahead=2))
    led = [images for batch in found for images, _ in batch.ahead]
    assert torch.equal(torch.cat(led[:3]), IMAGES)
    assert len(led) == 12
    assert torch.equal(torch.cat([batch.images for batch in found[:3]]), IMAGES)


def seeded() -> DataLoader[Any]:
    generator = torch.Generator().manual_seed(3)
    return DataLoader(DATA, batch_size=4, shuffle=True, generator=generator)


@pytest.mark.parametrize(
    "loader",
    [
        seeded,
        lambda: DataLoader(DATA, batch_size=4, shuffle=True),
        lambda: DataLoader(Noisy(), batch_size=4, shuffle=True),
    ],
    ids=["its own generator", "the global generator", "noise"],
)
@pytest.mark.parametrize("start", [1, 3, 7, 11, 12])
def test_a_run_that_goes_on_is_the_same_run(loader: Loader, start: int) -> None:
    """Whatever the global generator holds, and whatever training draws between two batches."""
    shows = Shows(("90",), ahead=1)
    torch.manual_seed(11)
    whole = []
    with own_randomness():
        for batch in feed(loader()).batches(PLAN, shows, 0, 12):
            whole.append(batch)
            torch.rand(3)  # as dropout would
    torch.manual_seed(12)
    rest = drawn(loader(), start, shows=shows)
    assert len(rest) == 12 - start
    for one, other in zip(whole[start:], rest, strict=True):
        assert torch.equal(one.images, other.images) and torch.equal(one.labels, other.labels)
        assert torch.equal(one.ahead[0][0], other.ahead[0][0])
        assert one[2:6] == other[2:6]


def test_epochs_are_shuffled_anew() -> None:
    found = drawn(DataLoader(DATA, batch_size=10, shuffle=True), until=3)
    assert not torch.equal(found[0].images, found[1].images)
    assert not torch.equal(found[1].images, found[2].images)


def pairs(images: Any, labels: Any) -> DataLoader[Any]:
    return DataLoader(list(zip(images, labels, strict=False)), batch_size=5)


@pytest.mark.parametrize(
    ("loader", "gives"),
    [
        (DataLoader(IMAGES, batch_size=5), r"float32 \(5, 3, 6, 6\)"),
        (DataLoader([{"image": 1.0}], batch_size=1), "dict"),
        (pairs(IMAGES[:, 0], LABELS), r"float32 \(5, 6, 6\), int64 \(5,\)"),
        (pairs((IMAGES * 255).to(torch.uint8), LABELS), r"uint8 \(5, 3, 6, 6\), int64 \(5,\)"),
        (pairs(IMAGES, LABELS.float()), r"float32 \(5, 3, 6, 6\), float32 \(5,\)"),
        (pairs(IMAGES, torch.eye(10)), r"float32 \(5, 3, 6, 6\), float32 \(5, 10\)"),
        (pairs(IMAGES, [str(n) for n in range(10)]), r"float32 \(5, 3, 6, 6\), tuple"),
        (
            DataLoader(TensorDataset(IMAGES, LABELS, LABELS), batch_size=5),
            r"int64 \(5,\), int64",
        ),
    ],
    ids=["no labels", "dict", "grey", "bytes", "floats", "one-hot", "words", "three"],
)
def test_a_loader_of_another_kind_is_refused(loader: DataLoader[Any], gives: str) -> None:
    with pytest.raises(
        UserError, match=rf"has to give \(images, labels\): .*; it gives .*{gives}"
    ):
        feed(loader).sample(5)


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (0, 3)])
def test_labels_have_to_be_classes_of_the_student(low: int, high: int) -> None:
    loader = pairs(IMAGES, torch.tensor([low, high] * 5))
    line = f"labels run from {low} to {high}, but the student tells 3 classes apart, 0 to 2"
    with pytest.raises(UserError, match=line):
        drawn(loader)


def test_an_endless_loader_is_refused() -> None:
    with pytest.raises(UserError, match="has no length, so an epoch has no end"):
        first_batch(DataLoader(Endless(), batch_size=1))


def test_an_empty_loader_is_refused() -> None:
    with pytest.raises(UserError, match="gives no batch; is drop_last on"):
        first_batch(DataLoader(DATA, batch_size=20, drop_last=True))
