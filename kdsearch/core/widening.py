"""Values beyond an axis's own that make sense all the same: of its kind, sign and scale (ours).

A method's ranges are where its authors, or we, would look first. Numbers may leave them; what
is a name or a yes may not, as each of those stands for something that was built.
"""

import math
from dataclasses import dataclass

from kdsearch.core.space import Axis, Choice, Value


@dataclass(frozen=True, slots=True)
class Wider:
    """All the numbers that an axis of numbers may be widened to."""

    whole: bool
    above: float
    """Smallest number, left out itself where `open`."""
    open: bool
    most: float

    def holds(self, value: Value) -> bool:
        kinds: tuple[type, ...] = (int,) if self.whole else (int, float)
        if type(value) not in kinds or not math.isfinite(number := float(value)):
            return False  # true is no number here
        return self.above <= number <= self.most and not (self.open and number == self.above)

    def __str__(self) -> str:
        low = "" if self.above == -math.inf else f" of at least {self.above:g}"
        low = f" above {self.above:g}" if self.open else low
        top = "" if self.most == math.inf else f" and at most {self.most:g}"
        return f"any {'whole ' if self.whole else ''}number{low}{top}"


def wider(axis: Axis) -> Wider | None:
    """What numbers an axis may take beside its own; None where there are none.

    The same kind: whole numbers for a choice of them. The same sign: above 0 if all its own
    are, at least 0 if none is below. Reals that lie within [0, 1] are shares and stay there.
    """
    own = axis.values if isinstance(axis, Choice) else (axis.low, axis.high)
    if any(type(value) not in (int, float) for value in own):
        return None
    numbers = [float(value) for value in own]
    whole = isinstance(axis, Choice) and all(type(value) is int for value in own)
    is_share = not whole and min(numbers) >= 0 and max(numbers) <= 1
    return Wider(
        whole,
        0.0 if min(numbers) >= 0 else -math.inf,
        min(numbers) > 0,
        1.0 if is_share else math.inf,
    )


def widens(axis: Axis, value: Value) -> bool:
    """Whether the axis may take this value, which need not be one of its own."""
    found = wider(axis)
    return axis.holds(value) or (found is not None and found.holds(value))
