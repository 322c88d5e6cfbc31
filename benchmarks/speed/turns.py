"""Calls that take turns, so that what disturbs a machine disturbs all of them alike (ours)."""

import os
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import torch

from kdsearch.measure.intervals import median_ci95
from kdsearch.measure.rounds import garbage_collection_off

Calls = Mapping[str, Callable[[int], object]]
"""By name, what is timed; each is told the number of the round."""


def taking_turns(calls: Calls, rounds: int, warm_up: int) -> dict[str, list[float]]:
    """Seconds by name and round; every round runs all calls once, in a fresh order."""
    rng, order = random.Random(0), list(calls)
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    with garbage_collection_off():
        for number in range(warm_up + rounds):
            rng.shuffle(order)
            for name in order:
                start = time.perf_counter()
                calls[name](number)
                if number >= warm_up:
                    seconds[name].append(time.perf_counter() - start)
    return seconds


def versus(slow: Sequence[float], fast: Sequence[float]) -> dict[str, float | list[float]]:
    """How many times faster: the median of the rounds' ratios, with a 95 % interval."""
    ratios = [a / b for a, b in zip(slow, fast, strict=True)]
    return {
        "times": statistics.median(ratios),
        "ci95": list(median_ci95(ratios, seed=0)),
        "slow_seconds": statistics.median(slow),
        "fast_seconds": statistics.median(fast),
        "rounds": len(ratios),
    }


def machine() -> dict[str, object]:
    """What the numbers depend on."""
    found = torch.backends.cpu.get_cpu_capability()
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "processors": os.cpu_count(),
        "vectors": found,
        "native_bf16": torch.cpu._is_avx512_bf16_supported(),
    }
