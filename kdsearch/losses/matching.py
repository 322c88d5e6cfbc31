"""Which of the student's taps learns from which of the teacher's at different depths (ours).

A policy takes the two numbers of taps, each at least 1, and gives pairs of indices (student's,
teacher's), shallow to deep. The last student tap is always paired with the teacher's last. The
policy that looks at features is `matched_layers` in losses/information.py.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

Pairs = list[tuple[int, int]]


def stage_end(student_taps: int, teacher_taps: int) -> Pairs:
    """One to one from the deep end, as many as the shallower network has."""
    count = min(student_taps, teacher_taps)
    return [(student_taps - k, teacher_taps - k) for k in range(count, 0, -1)]


def relative_depth(student_taps: int, teacher_taps: int) -> Pairs:
    """Every student tap with the teacher's nearest to the same share of the depth.

    Tap i of n learns from number (i + 1) / n · (teacher's number), rounded, halves up.
    """
    return [
        (i, max((2 * (i + 1) * teacher_taps + student_taps) // (2 * student_taps) - 1, 0))
        for i in range(student_taps)
    ]


def last(student_taps: int, teacher_taps: int) -> Pairs:
    return [(student_taps - 1, teacher_taps - 1)]


POLICIES: Mapping[str, Callable[[int, int], Pairs]] = MappingProxyType(
    {"stage-end": stage_end, "relative-depth": relative_depth, "last": last}
)
