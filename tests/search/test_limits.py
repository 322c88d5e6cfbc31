"""When a search proposes no more, and why; what was spent before counts."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsearch.core.objectives import KNOWN
from kdsearch.core.records import Architecture, Candidate, Recipe, Result
from kdsearch.search.limits import Limits, stalled
from kdsearch.search.trial import Trial

BOTH = (KNOWN["accuracy"], KNOWN["macs"])
CANDIDATE = Candidate(Architecture.of({"width": 2}), Recipe("hard"))


def completed(scores: Sequence[tuple[float, float]], rung: int = 1) -> list[Trial]:
    return [Trial(n, CANDIDATE, "complete", {rung: s}) for n, s in enumerate(scores)]


def test_without_limits_nothing_is_reached() -> None:
    limits = Limits(BOTH)
    assert not limits.reached(completed([(0.5, 1.0)] * 50)) and limits.reason == ""


def test_seconds_are_those_of_all_sittings() -> None:
    now = [100.0]
    limits = Limits(seconds=60, spent=45, clock=lambda: now[0])
    assert not limits.reached([])
    now[0] = 114.9
    assert not limits.reached([])
    now[0] = 115.0
    assert limits.reached([]) and limits.reason == "search.seconds: 1 min 00 s are over"
    now[0] = 0.0
    assert limits.reached([]), "what is reached stays reached, whatever the clock does"


def test_device_seconds_are_those_of_trainings() -> None:
    limits = Limits(device_seconds=10, device_spent=4)
    limits.spend(Result("inherited a", 0, "done", seconds=1000))
    assert not limits.reached([])
    limits.spend(Result("trial 0, rung 1", 1, "diverged", seconds=6))
    assert limits.reached([]) and limits.reason == "search.device_seconds: 10 s are spent"


def test_the_first_reason_stays() -> None:
    limits = Limits(device_seconds=1, device_spent=2)
    limits.stop("every architecture of the space was tried")
    assert limits.reached([]) and limits.reason == "every architecture of the space was tried"


@pytest.mark.parametrize(
    ("scores", "patience", "is_over"),
    [
        ([(0.5, 5.0), (0.4, 6.0), (0.3, 7.0)], 2, True),
        ([(0.5, 5.0), (0.4, 6.0), (0.6, 7.0)], 2, False),  # a better one, if dearer
        ([(0.5, 5.0), (0.4, 6.0), (0.4, 4.0)], 2, False),  # a cheaper one, if worse
        ([(0.4, 6.0), (0.3, 7.0)], 2, False),  # there must be one before
        ([(0.4, 6.0), (0.3, 7.0), (0.5, 5.0), (0.4, 6.0)], 2, False),
        ([(0.4, 6.0), (0.3, 7.0), (0.5, 5.0), (0.4, 6.0)], 1, True),
    ],
)
def test_a_front_that_stopped_growing(
    scores: list[tuple[float, float]], patience: int, is_over: bool
) -> None:
    limits = Limits(BOTH, patience=patience)
    assert limits.reached(completed(scores)) == is_over
    told = f"search.patience: {patience} trials did not add to the front"
    assert limits.reason == (told if is_over else "")


def test_only_what_came_to_the_end_of_the_ladder_counts() -> None:
    trials = completed([(0.5, 5.0), (0.4, 6.0)], rung=2)
    others: list[dict[str, Any]] = [
        {"state": "stopped", "scores": {1: (0.9, 1.0)}},
        {"state": "failed"},
        {"state": "running", "scores": {1: (0.9, 1.0)}},
        {"state": "complete", "scores": {1: (0.9, 1.0)}},
    ]
    trials += [Trial(2 + n, CANDIDATE, **other) for n, other in enumerate(others)]
    assert stalled(trials, BOTH) == 1
    assert Limits(BOTH, patience=1).reached(trials)


def test_what_stalls_by_hand() -> None:
    scores = [(0.5, 5.0), (0.6, 5.0), (0.4, 6.0), (0.3, 6.0)]
    assert [stalled(completed(scores[:n]), BOTH) for n in range(5)] == [0, 0, 0, 1, 2]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4)), max_size=9),
    st.integers(1, 8),
)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_patience_ends_where_as_many_have_stalled(
    scores: list[tuple[int, int]], patience: int
) -> None:
    trials = completed([(a / 4, float(c)) for a, c in scores])
    is_over = Limits(BOTH, patience=patience).reached(trials)
    assert is_over == (stalled(trials, BOTH) >= patience)
