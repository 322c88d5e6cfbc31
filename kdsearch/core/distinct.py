"""Whether two measurements differ by more than they are uncertain (ours)."""

from collections.abc import Sequence


def distinguishable(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two intervals (low, high) do not overlap; ends that touch, do.

    Two 95 % intervals that are just apart differ with far more than 95 % confidence (Schenker
    & Gentleman, 2001): what is called distinguishable is, what is not may be.
    """
    return one[1] < other[0] or other[1] < one[0]
