"""Calls timed in rounds: each round visits every network once, in a fresh random order.

What disturbs a latency is drift (clock frequency, neighbours), not noise per call: networks
timed in the same round share it, so their ratio is steady where their milliseconds are not.
"""

import gc
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

from kdsearch.measure.warm_up import warmed_up
from kdsearch.stopping import STOP, Stopped

Stopwatch: TypeAlias = Callable[[], float]
"""Calls a network once and returns the seconds that took."""
Key = TypeVar("Key")
Timed: TypeAlias = dict[Key, list[list[float]]]
"""Seconds of every timed call: per network, per round, per call of that visit."""

VISIT_SECONDS = 0.001
FEWEST_CALLS, MOST_CALLS = 2, 50


def interleaved(
    stopwatches: Mapping[Key, Stopwatch],
    rounds: int,
    rng: random.Random,
    is_enough: Callable[[Timed[Key]], bool],
) -> Timed[Key]:
    """
    Args:
        rounds: at most.
        is_enough: shown after every round what was timed so far.

    Raises:
        Stopped: asked to; rounds of different times are not put together.
    """
    counts = {}
    for key, stopwatch in stopwatches.items():
        heed_stop()
        counts[key] = calls_per_visit(warmed_up(stopwatch))
    seconds: Timed[Key] = {key: [] for key in stopwatches}
    order = list(stopwatches)
    with garbage_collection_off():
        for _ in range(rounds):
            heed_stop()
            rng.shuffle(order)
            for key in order:
                stopwatches[key]()  # not counted: the others have emptied the caches
                seconds[key].append([stopwatches[key]() for _ in range(counts[key])])
            if is_enough(seconds):
                break
    return seconds


def calls_per_visit(warm_up: Sequence[float]) -> int:
    """Enough calls to fill a visit: many of a network that takes microseconds."""
    fastest = max(min(warm_up), 1e-9)
    return min(MOST_CALLS, max(FEWEST_CALLS, math.ceil(VISIT_SECONDS / fastest)))


def heed_stop() -> None:
    if STOP.is_asked():
        raise Stopped


@contextmanager
def garbage_collection_off() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
