"""Calls before any is timed: until a network no longer gets faster (ours).

First calls pay for what later ones find: memory, caches, plans that a runtime makes, a clock
that rises. How many they are differs between runtimes by a factor of ten.
"""

from collections.abc import Callable, Sequence
from statistics import median

WINDOW = 3
"""Calls that are compared with as many before them."""
GAIN = 0.05
"""A network that got faster by less is warm: noise of a call is about as much."""
FEWEST, MOST = 3, 50
SECONDS = 0.5
"""That a network may take to get warm, once it was called so often as `FEWEST` says."""


def is_warm(seconds: Sequence[float]) -> bool:
    """Whether the last calls were about as slow as those before, or slower."""
    if len(seconds) < 2 * WINDOW:
        return False
    before, last = seconds[-2 * WINDOW : -WINDOW], seconds[-WINDOW:]
    return median(last) >= (1 - GAIN) * median(before)


def warmed_up(stopwatch: Callable[[], float]) -> list[float]:
    """Seconds of each call that it took."""
    seconds: list[float] = []
    while len(seconds) < FEWEST or not (
        is_warm(seconds) or len(seconds) >= MOST or sum(seconds) >= SECONDS
    ):
        seconds.append(stopwatch())
    return seconds
