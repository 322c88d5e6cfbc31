import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.core.ladder import check_rungs, screened, steps_at
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
