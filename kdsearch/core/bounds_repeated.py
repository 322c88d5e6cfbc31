"""What a measurement that is taken once more may say, from those that there are.

An interval tells how sure one measurement is of itself; another process on another day differs
by more. How much more is seen where networks were measured twice.
"""

import math
from collections.abc import Sequence
from statistics import fmean

ONE_SIDED = 1.6448536269514722
"""Of a normal variable, 95 % lie below so many standard deviations."""


def spread(pairs: Sequence[tuple[float, float]]) -> float:
    """Standard deviation of one measurement's logarithm, from networks measured twice each.

    The within-pair estimate, sqrt(sum d^2 / 2n) (Dahlberg, 1940); a drift of all of them is in
    it. 0 where nothing was measured twice.
    """
    if not pairs:
        return 0.0
    return math.sqrt(fmean(math.log(after / before) ** 2 for before, after in pairs) / 2)


def next_at_most(values: Sequence[float], deviation: float) -> float:
    """What the next measurement stays below with 95 %, by the normal prediction interval.

    Args:
        values: those there are, at least one.
        deviation: of one measurement's logarithm; see `spread`.
    """
    centre = fmean(map(math.log, values))
    return math.exp(centre + ONE_SIDED * deviation * math.sqrt(1 + 1 / len(values)))
