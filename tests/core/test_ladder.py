import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.core.ladder import (
    TRUSTED,
    check_rungs,
    climbs,
    doubt,
    is_audited,
    ranking,
    screened,
    share_of,
    steps_at,
    widened,
)
from kdsearch.core.pareto import contributions, layers
from kdsearch.errors import UserError


@pytest.mark.parametrize("rungs", [[0.25, 1.0], [0.1, 0.2, 0.5, 1.0], (1 / 3, 1.0)])
def test_rising_fractions_up_to_one(rungs: list[float]) -> None:
    check_rungs(rungs)


@pytest.mark.parametrize(
    "rungs",
    [
        [],
        [1.0],
        [0.5, 0.5, 1.0],
        [0.5, 0.25, 1.0],
        [0.0, 1.0],
        [-1.0, 1.0],
        [0.5, 0.9],
        [1.0, 2.0],
    ],
)
def test_other_fractions_are_refused(rungs: list[float]) -> None:
    with pytest.raises(UserError, match="rising fractions"):
        check_rungs(rungs)


def test_steps_by_hand() -> None:
    fractions = (0.25, 0.5, 1.0)
    assert [steps_at(rung, fractions, 1000) for rung in range(4)] == [0, 250, 500, 1000]
    assert steps_at(1, (0.001, 1.0), 100) == 1  # a rung trains at least one step
    assert steps_at(1, (0.126, 1.0), 100) == 13


@given(
    st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5, unique=True).map(sorted),
    st.integers(1, 10_000),
)
def test_rungs_never_go_back_and_end_at_the_top(fractions: list[float], top: int) -> None:
    ladder = [*fractions, 1.0]
    steps = [steps_at(rung, ladder, top) for rung in range(len(ladder) + 1)]
    assert steps[0] == 0
    assert steps == sorted(steps)
    assert steps[-1] == top


def test_screened_points_lie_in_the_first_layers() -> None:
    """Layers by hand: 0 for (1, 4) and (4, 1), 1 for (2, 5), 2 for (5, 6)."""
    points = [(5.0, 6.0), (1.0, 4.0), (2.0, 5.0), (4.0, 1.0)]
    assert screened(points, 1) == [False, True, False, True]
    assert screened(points, 2) == [False, True, True, True]
    assert screened(points, 0) == [False] * 4


POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=10)


@given(POINTS)
def test_places_go_layer_by_layer_then_by_what_a_point_alone_adds(
    points: list[tuple[int, int]],
) -> None:
    places = ranking(points)
    assert sorted(places) == list(range(len(points)))
    layer = layers(points)
    order = sorted(range(len(points)), key=lambda i: places[i])
    for a, b in zip(order, order[1:], strict=False):
        assert layer[a] <= layer[b]
        if layer[a] == layer[b]:
            members = [i for i in order if layer[i] == layer[a]]
            alone = dict(
                zip(sorted(members), contributions([points[i] for i in sorted(members)]),
                    strict=True)
            )  # fmt: skip
            assert (-alone[a], a) < (-alone[b], b)


def test_places_by_hand() -> None:
    """Two ends, the lonelier of the middle ones, the other, then what is behind."""
    points = [(9.0, 9.0), (0.0, 8.0), (1.0, 6.0), (4.0, 2.0), (8.0, 0.0)]
    assert ranking(points) == [4, 0, 3, 2, 1]
    assert ranking([]) == []


def test_so_many_of_those_known_climb() -> None:
    """The best third, rounded up: the first to arrive always does."""
    chain = [(float(k), float(k)) for k in range(7)]  # each behind the one before
    for known in range(1, 8):
        up = [climbs(chain[:known], own, 1 / 3) for own in range(known)]
        assert sum(up) == math.ceil(known / 3) and up == sorted(up, reverse=True)
    assert all(climbs(chain, own, 1.0) for own in range(7))


def test_the_worse_a_rung_ranks_the_more_climb() -> None:
    assert share_of(3, None) == share_of(3, TRUSTED) == share_of(3, 1.0) == 1 / 3
    assert share_of(3, 0.0) == share_of(3, -0.5) == 1
    assert share_of(3, TRUSTED / 2) == pytest.approx(1 / 3 + 1 / 3)
    assert share_of(1, None) == 1
    assert [widened(2, tau) for tau in (None, 0.9, TRUSTED, TRUSTED / 2, 0.0, -1.0)] == [
        2, 2, 2, 4, 6, 6,
    ]  # fmt: skip
    assert [doubt(tau) for tau in (None, 0.7, 0.3, -0.1)] == pytest.approx([0, 0, 0.5, 1])


def test_one_trial_in_ten_is_audited_by_seed_and_number() -> None:
    chosen = {seed: [n for n in range(2000) if is_audited(seed, n)] for seed in (0, 1)}
    assert all(150 < len(numbers) < 250 for numbers in chosen.values())
    assert chosen[0] != chosen[1]
