"""Calls timed in rounds: each round visits every network once, in a fresh random order.

What disturbs a latency is drift (clock frequency, neighbours), not noise per call: networks
timed in the same round share it, so their ratio is steady where their milliseconds are not.
"""

import gc
import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

from kdsearch.stopping import STOP, Stopped

Clock: TypeAlias = Callable[[], float]
"""Seconds from any start, such as `time.perf_counter`."""
Key = TypeVar("Key")

WARM_UPS = 5
VISIT_SECONDS = 0.001
FEWEST_CALLS, MOST_CALLS = 2, 50


def interleaved(
    calls: Mapping[Key, Callable[[], object]],
    rounds: int,
    rng: random.Random,
    clock: Clock,
    after_round: Callable[[int], None],
) -> dict[Key, list[list[float]]]:
    """Seconds of every timed call: per network, per round, per call of that visit.

    Args:
        after_round: told the number of rounds done.

    Raises:
        Stopped: asked to; rounds of different times are not put together.
    """
    counts = {key: calls_per_visit(timed(call, WARM_UPS, clock)) for key, call in calls.items()}
    seconds: dict[Key, list[list[float]]] = {key: [] for key in calls}
    order = list(calls)
    with garbage_collection_off():
        for done in range(1, rounds + 1):
            if STOP.is_asked():
                raise Stopped
            rng.shuffle(order)
            for key in order:
                calls[key]()  # untimed: the others have emptied the caches
                seconds[key].append(timed(calls[key], counts[key], clock))
            after_round(done)
    return seconds


def timed(call: Callable[[], object], times: int, clock: Clock) -> list[float]:
    seconds = []
    for _ in range(times):
        start = clock()
        call()
        seconds.append(clock() - start)
    return seconds


def calls_per_visit(warm_up: list[float]) -> int:
    """Enough calls to fill a visit: many of a network that takes microseconds."""
    fastest = max(min(warm_up), 1e-9)
    return min(MOST_CALLS, max(FEWEST_CALLS, math.ceil(VISIT_SECONDS / fastest)))


@contextmanager
def garbage_collection_off() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
