"""One suite for every sampling policy, and what each adds."""

import math
import random
from collections import Counter

import pytest
import torch
from torch import nn

from kdsearch.core.paths import largest, smallest
from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.errors import UserError
from kdsearch.supernet.policies import POLICIES
from kdsearch.supernet.policies.importance import FLOOR, REFRESH, Importance
from kdsearch.supernet.policies.policy import Policy, Terms

SPACE = Space({"width": Choice((2, 4, 8)), "depth": Choice((1, 2, 3))})
PART = Space({"width": Choice((4, 8)), "depth": Choice((3,))})
ODDS = {"width": {2: 0.7, 4: 0.2, 8: 0.1}, "depth": {1: 0.1, 2: 0.1, 3: 0.8}}


def cost(student: Architecture) -> float:
    return float(student["width"]) ** 2 * float(student["depth"])


def made(name: str, randoms: int = 2) -> Policy:
    return POLICIES[name](Terms(SPACE, randoms, 0, ODDS, cost))


def drawn(policy: Policy, count: int, space: Space = SPACE) -> list[Architecture]:
    """What `count` steps see beside the two ends of a sandwich."""
    skipped = 2 if policy.largest_first else 0
    return [
        path
        for step in range(count)
        for path in policy.paths(space, random.Random(step), step)[skipped:]
    ]


@pytest.mark.parametrize("name", POLICIES)
def test_paths_follow_from_the_seed_and_lie_in_the_open_part(name: str) -> None:
    policy = made(name)
    for space in (SPACE, PART):
        for step in (0, 1):
            first = policy.paths(space, random.Random(5), step)
            assert first == policy.paths(space, random.Random(5), step)
            assert len(first) == 4
            for path in first:
                space.check(path.as_dict())
            if policy.largest_first:
                assert first[:2] == (largest(space), smallest(space))
    assert isinstance(policy, nn.Module)  # what it remembers is in a checkpoint


@pytest.mark.parametrize("name", POLICIES)
def test_every_student_of_a_small_space_comes_up(name: str) -> None:
    assert len(set(drawn(made(name), 400))) >= SPACE.count() - 2 * made(name).largest_first


def chi_square(counts: dict[int, int], shares: dict[int, float]) -> float:
    total = sum(counts.values())
    return sum((counts[v] - total * p) ** 2 / (total * p) for v, p in shares.items())


def test_learned_draws_as_often_as_it_was_told() -> None:
    """Chi-square with two degrees of freedom: beyond 13.8 once in a thousand."""
    paths = drawn(made("learned"), 1500)
    for axis, shares in ODDS.items():
        counts = Counter(int(path[axis]) for path in paths)
        assert chi_square(counts, shares) < 13.8
    even = {value: 1 / 3 for value in ODDS["width"]}
    assert chi_square(Counter(int(p["width"]) for p in paths), even) > 13.8


def test_learned_without_a_distribution_says_where_one_comes_from() -> None:
    with pytest.raises(UserError, match="needs a teacher that has learnt a distribution"):
        POLICIES["learned"](Terms(SPACE, 2, 0, None, cost))


def test_importance_goes_where_gradients_are_and_keeps_its_floor() -> None:
    policy = made("importance")
    assert isinstance(policy, Importance)
    for _ in range(200):
        for path in SPACE.points():
            size = 8.0 if path["width"] == 2 else 0.001
            policy.note(Architecture.of(path), torch.full((1, 4), size / 2))
    policy.paths(SPACE, random.Random(0), REFRESH)
    odds = policy.weights()
    assert odds["width"][2] == pytest.approx(FLOOR / 3 + 1 - FLOOR, abs=1e-3)
    assert odds["width"][8] == pytest.approx(FLOOR / 3, abs=1e-3)
    assert odds["depth"][1] == pytest.approx(1 / 3, abs=0.05)
    assert all(math.isclose(sum(of.values()), 1) for of in odds.values())


def test_importance_looks_again_only_now_and_then_and_resumes_the_same() -> None:
    policy, twin = made("importance"), made("importance")
    assert isinstance(policy, Importance) and isinstance(twin, Importance)
    first = policy.paths(SPACE, random.Random(1), 1)
    for _ in range(300):
        policy.note(smallest(SPACE), torch.ones(8, 4))
    assert policy.paths(SPACE, random.Random(1), 2) == first  # not looked at yet
    policy.paths(SPACE, random.Random(1), REFRESH)
    twin.load_state_dict(policy.state_dict())
    for step in range(REFRESH + 1, REFRESH + 30):
        seed = random.Random(step)
        state = seed.getstate()
        ours = policy.paths(SPACE, seed, step)
        seed.setstate(state)
        assert twin.paths(SPACE, seed, step) == ours


def test_importance_that_goes_back_draws_as_it_did() -> None:
    """As in a run that rolls back: the same object takes the state of an earlier step."""
    policy = made("importance")
    assert isinstance(policy, Importance)
    policy.paths(SPACE, random.Random(0), REFRESH)
    kept = {name: value.clone() for name, value in policy.state_dict().items()}
    seeds = range(REFRESH + 1, REFRESH + 15)
    first = [policy.paths(SPACE, random.Random(step), step) for step in seeds]
    for _ in range(300):
        policy.note(smallest(SPACE), torch.ones(8, 4))
    policy.paths(SPACE, random.Random(0), 2 * REFRESH)
    assert [policy.paths(SPACE, random.Random(step), step) for step in seeds] != first
    policy.load_state_dict(kept)
    assert [policy.paths(SPACE, random.Random(step), step) for step in seeds] == first


def test_latency_weighted_spreads_over_costs() -> None:
    """Cheap students are rare among all and common here."""
    wide = Space({f"stage{s}.width": Choice((2, 4, 8, 16)) for s in (1, 2, 3)})

    def product(student: Architecture) -> float:
        return math.prod(float(width) for _, width in student.choices)

    policy = POLICIES["latency_weighted"](Terms(wide, 2, 0, None, product))
    spread = drawn(policy, 500, wide)
    even = drawn(POLICIES["sandwich"](Terms(wide, 2, 0, None, product)), 500, wide)
    cheap = [sum(product(path) <= 16 for path in paths) / 1000 for paths in (spread, even)]
    assert cheap[0] > 2 * cheap[1]
