import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsearch.losses.matching import POLICIES

TAPS = st.integers(1, 12)
every_policy = pytest.mark.parametrize("policy", POLICIES)


@pytest.mark.parametrize(
    ("policy", "student_taps", "teacher_taps", "pairs"),
    [
        ("stage-end", 2, 4, [(0, 2), (1, 3)]),
        ("stage-end", 3, 2, [(1, 0), (2, 1)]),
        ("relative-depth", 2, 4, [(0, 1), (1, 3)]),
        ("relative-depth", 4, 2, [(0, 0), (1, 0), (2, 1), (3, 1)]),  # 1/2 and 3/2 round up
        ("relative-depth", 2, 5, [(0, 2), (1, 4)]),  # 5/2 rounds up
        ("relative-depth", 6, 1, [(i, 0) for i in range(6)]),  # 1/6 rounds to 0, tap −1: tap 0
        ("last", 3, 5, [(2, 4)]),
    ],
)
def test_by_hand(
    policy: str, student_taps: int, teacher_taps: int, pairs: list[tuple[int, int]]
) -> None:
    assert POLICIES[policy](student_taps, teacher_taps) == pairs


@every_policy
@settings(deadline=None)
@given(student_taps=TAPS, teacher_taps=TAPS)
def test_indices_exist_rise_and_end_at_the_last(
    policy: str, student_taps: int, teacher_taps: int
) -> None:
    pairs = POLICIES[policy](student_taps, teacher_taps)
    students, teachers = (list(side) for side in zip(*pairs, strict=True))
    assert all(0 <= i < student_taps and 0 <= j < teacher_taps for i, j in pairs)
    assert students == sorted(set(students))
    assert teachers == sorted(teachers)
    assert pairs[-1] == (student_taps - 1, teacher_taps - 1)


@settings(deadline=None)
@given(taps=TAPS)
def test_equal_depths_are_paired_one_to_one(taps: int) -> None:
    one_to_one = [(i, i) for i in range(taps)]
    assert POLICIES["stage-end"](taps, taps) == one_to_one
    assert POLICIES["relative-depth"](taps, taps) == one_to_one


@settings(deadline=None)
@given(student_taps=TAPS, teacher_taps=TAPS)
def test_how_many_pairs(student_taps: int, teacher_taps: int) -> None:
    counts = {name: len(pairs(student_taps, teacher_taps)) for name, pairs in POLICIES.items()}
    shallower = min(student_taps, teacher_taps)
    assert counts == {"stage-end": shallower, "relative-depth": student_taps, "last": 1}
