import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsearch.data.batches import Batches, permutation


@settings(deadline=None)
@given(
    count=st.integers(1, 300),
    batch_size=st.integers(1, 64),
    seed=st.integers(0, 2**32 - 1),
    epoch=st.integers(0, 50),
)
def test_an_epoch_visits_every_image_once_but_for_the_ragged_rest(
    count: int, batch_size: int, seed: int, epoch: int
) -> None:
    batches = Batches(range(count), batch_size, seed)
    steps = range(epoch * batches.steps_per_epoch, (epoch + 1) * batches.steps_per_epoch)
    visited = torch.cat([batches.at(step) for step in steps]).tolist()
    size = min(batch_size, count)
    assert all(len(batches.at(step)) == size for step in steps)
    assert len(visited) == len(set(visited)) == count - count % size
    assert set(visited) <= set(range(count))


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    forwards = [Batches(range(50), 8, 3).at(step) for step in range(30)]
    permutation.cache_clear()
    batches = Batches(range(50), 8, 3)
    backwards = [batches.at(step) for step in reversed(range(30))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert not torch.equal(forwards[0], Batches(range(50), 8, 4).at(0))


def test_epochs_have_different_orders() -> None:
    batches = Batches(range(64), 64, 0)
    assert batches.steps_per_epoch == 1
    assert batches.at(0).tolist() != batches.at(1).tolist()
    assert batches.at(0).dtype == torch.int64


def test_writing_to_a_batch_does_not_change_the_next() -> None:
    batches = Batches(range(10), 5, 0)
    expected = batches.at(0).tolist()
    batches.at(0).zero_()
    assert batches.at(0).tolist() == expected


@pytest.mark.parametrize(("count", "steps"), [(100, 3), (64, 2), (20, 1)])
def test_steps_per_epoch(count: int, steps: int) -> None:
    assert Batches(range(count), 32, 0).steps_per_epoch == steps
