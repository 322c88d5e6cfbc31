import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsearch.data.stratify import check_classes, draw, quotas
from kdsearch.errors import DataError

counts = st.lists(st.integers(min_value=3, max_value=60), min_size=2, max_size=8)


@settings(deadline=None)
@given(counts, st.floats(min_value=0.05, max_value=0.6), st.integers(0, 2))
def test_every_class_gives_its_share_at_least_one_and_keeps_what_is_spared(
    counts: list[int], share: float, spare: int
) -> None:
    total = round(share * sum(counts))
    given_away = quotas(counts, total, spare)
    for count, quota in zip(counts, given_away, strict=True):
        assert 1 <= quota <= count - spare
        exact = count * total / sum(counts)
        assert quota == 1 or quota == count - spare or abs(quota - exact) < 1
    if all(count * share >= 1 and count * (1 - share) >= spare + 1 for count in counts):
        assert sum(given_away) == total


def test_largest_remainders_by_hand() -> None:
    # exact shares 3.5, 2.1, 1.4: floors sum to 6, the seventh goes to the largest remainder
    assert quotas([50, 30, 20], 7, 0) == [4, 2, 1]


@settings(deadline=None)
@given(counts, st.integers(0, 1000))
def test_a_draw_divides_the_images(counts: list[int], seed: int) -> None:
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    drawn, rest = draw(labels, len(labels) // 3, seed)
    assert sorted(drawn.tolist() + rest.tolist()) == list(range(len(labels)))
    expected = quotas(counts, len(labels) // 3, 0)
    assert torch.bincount(labels[drawn], minlength=len(counts)).tolist() == expected


def test_a_draw_is_in_random_order_and_follows_its_seed() -> None:
    labels = torch.arange(4).repeat_interleave(50)
    drawn, rest = draw(labels, 80, 1)
    assert drawn.tolist() == draw(labels, 80, 1)[0].tolist()
    assert set(drawn.tolist()) != set(draw(labels, 80, 2)[0].tolist())
    for positions in (drawn, rest):
        assert positions.tolist() != sorted(positions.tolist())
        assert len(set(labels[positions[:20]].tolist())) == 4


def test_a_class_too_small_to_be_split_is_named() -> None:
    labels = torch.tensor([0, 0, 0, 1, 1])
    with pytest.raises(DataError, match=r"class 'dog' has too few images: 2; .* at least 3"):
        check_classes(labels, ["cat", "dog"], ["train", "search_val", "test"])
    check_classes(labels, ["cat", "dog"], ["train", "test"])


def test_one_class_is_nothing_to_tell_apart() -> None:
    with pytest.raises(DataError, match="at least two"):
        check_classes(torch.zeros(9, dtype=torch.int64), ["cat"], ["train"])
