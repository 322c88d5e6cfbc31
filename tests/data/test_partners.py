import pytest
import torch

from kdsearch.data.partners import partners


def test_a_partner_has_the_same_label() -> None:
    labels = torch.randint(0, 7, (200,), generator=torch.Generator().manual_seed(0))
    chosen = torch.randperm(200, generator=torch.Generator().manual_seed(1))[:64]
    for seed in range(20):
        found = partners(labels, chosen, seed)
        assert found.shape == chosen.shape and found.dtype == torch.int64
        assert torch.equal(labels[found], labels[chosen])


def test_it_is_a_function_of_the_seed() -> None:
    labels, chosen = torch.arange(90) % 3, torch.arange(30)
    torch.manual_seed(0)
    first = partners(labels, chosen, 5)
    before = torch.get_rng_state()
    assert torch.equal(partners(labels, chosen, 5), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(partners(labels, chosen, 6), first)


def test_each_of_the_class_is_drawn_equally_often_the_image_itself_too() -> None:
    """Of a class of five: 2,000 draws, 400 for each on average, with 18 for one deviation."""
    labels = torch.tensor([3, 0, 3, 3, 1, 3, 3])
    drawn = torch.cat([partners(labels, torch.full((20,), 2), seed) for seed in range(100)])
    counts = torch.bincount(drawn, minlength=7).tolist()
    assert counts[1] == counts[4] == 0
    assert all(320 < counts[position] < 480 for position in (0, 2, 3, 5, 6))


def test_the_only_one_of_its_class_is_its_own_partner() -> None:
    labels = torch.tensor([2, 0, 2, 5])  # of the classes 1, 3 and 4 there are none
    for seed in range(10):
        found = partners(labels, torch.tensor([1, 3]), seed)
        assert found.tolist() == [1, 3]


@pytest.mark.parametrize("count", [3, 7, 1000, 65537])
def test_the_largest_draw_stays_in_the_class(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What torch draws ends just below 1; times the count it is not rounded up to it."""
    largest = 1 - 2.0**-24
    monkeypatch.setattr(torch, "rand", lambda size, **_: torch.full((size,), largest))
    labels = torch.cat(
        [torch.zeros(count, dtype=torch.int64), torch.ones(2, dtype=torch.int64)]
    )
    assert partners(labels, torch.tensor([0, count]), 0).tolist() == [count - 1, count + 1]
