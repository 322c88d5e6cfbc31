from collections.abc import Callable

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kdsearch.data.records import Options, Raw
from kdsearch.data.splits import Plan, plan
from kdsearch.errors import DataError

Numbered = Callable[..., Raw]
fixture_is_stateless = settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def positions(splits: Plan) -> dict[str, list[int]]:
    return {name: indices.tolist() for name, (_, indices) in splits.items()}


@fixture_is_stateless
@given(
    counts=st.lists(st.integers(3, 40), min_size=2, max_size=6),
    seed=st.integers(0, 99),
    fractions=st.tuples(st.floats(0.05, 0.45), st.floats(0.05, 0.45)),
)
def test_splits_are_disjoint_complete_and_hold_every_class(
    numbered: Numbered, counts: list[int], seed: int, fractions: tuple[float, float]
) -> None:
    raw = numbered(counts)
    options = Options(test_fraction=fractions[0], val_fraction=fractions[1])
    splits = plan(raw, options, seed)
    found = positions(splits)
    assert set(found) == {"train", "search_val", "test"}
    assert sorted(sum(found.values(), [])) == list(range(sum(counts)))
    for part, indices in splits.values():
        assert set(part.labels[indices].tolist()) == set(range(len(counts)))


def test_splits_keep_the_share_of_each_class(numbered: Numbered) -> None:
    raw = numbered([200, 100, 50])
    options = Options(test_fraction=0.2, val_fraction=0.1)
    for name, (part, indices) in plan(raw, options, 3).items():
        share = {"test": 0.2, "search_val": 0.1, "train": 0.7}[name]
        found = torch.bincount(part.labels[indices]).tolist()
        assert found == pytest.approx([200 * share, 100 * share, 50 * share])


def test_the_seed_alone_decides(numbered: Numbered) -> None:
    raw = numbered([60, 60])
    first, again, other = (positions(plan(raw, Options(), seed)) for seed in (5, 5, 6))
    assert first == again
    for name in first:
        assert set(first[name]) != set(other[name])


def test_own_parts_are_used_whole(numbered: Numbered) -> None:
    raw = numbered([50, 50], test=30)
    splits = plan(raw, Options(val_fraction=0.2), 0)
    assert splits["test"][0] is raw.test
    assert positions(splits)["test"] == list(range(30))
    assert (len(splits["search_val"][1]), len(splits["train"][1])) == (20, 80)
    raw = numbered([50, 50], test=30, search_val=12)
    splits = plan(raw, Options(), 0)
    assert splits["search_val"][0] is raw.search_val
    assert [len(splits[n][1]) for n in ("train", "search_val", "test")] == [100, 12, 30]


def test_a_limit_thins_train_and_search_val_alike_and_never_test(numbered: Numbered) -> None:
    raw = numbered([500, 500])
    whole = positions(plan(raw, Options(), 0))
    few = positions(plan(raw, Options(limit=60), 0))
    assert {name: len(found) for name, found in few.items()} == {
        "train": 60,
        "search_val": 20,
        "test": 200,
    }
    assert all(set(few[name]) <= set(whole[name]) for name in few)
    assert sum(index < 500 for index in few["train"]) == 30
    assert positions(plan(raw, Options(limit=10**6), 0)) == whole


@pytest.mark.parametrize(("test", "val"), [(0.5, 0.5), (0.0, 0.2), (0.2, 1.0)])
def test_fractions_that_leave_nothing_are_refused(
    numbered: Numbered, test: float, val: float
) -> None:
    with pytest.raises(DataError, match="each must lie above 0, and their sum below 1"):
        plan(numbered([9, 9]), Options(test_fraction=test, val_fraction=val), 0)


def test_a_class_of_two_images_can_be_split_in_two_but_not_in_three(numbered: Numbered) -> None:
    with pytest.raises(DataError, match=r"'class 1' has too few images: 2; .*search_val"):
        plan(numbered([9, 2]), Options(), 0)
    plan(numbered([9, 2], test=4), Options(), 0)
