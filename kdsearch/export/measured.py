"""How good and how fast an artefact is, measured on itself: test images through its runtime."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdsearch.export.parity import batches
from kdsearch.measure.accuracy import wilson_ci95
from kdsearch.measure.fingerprint import processor
from kdsearch.measure.intervals import median_ci95, percentiles_ci95
from kdsearch.measure.load import others, reading
from kdsearch.measure.rounds import interleaved
from kdsearch.runtimes.runtime import Array, Call

Labels = NDArray[np.int64]


def best_classes(call: Call, images: Array) -> Labels:
    """(n,): the class with the largest logit, of each image."""
    return np.concatenate([call(part).argmax(1) for part in batches(images)])


def accuracy(predicted: Labels, labels: Labels) -> dict[str, Any]:
    hits, total = int((predicted == labels).sum()), len(labels)
    return {
        "test_accuracy": hits / total,
        "test_accuracy_ci95": list(wilson_ci95(hits, total)),
    }


def per_class(
    predicted: Labels, labels: Labels, classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Of each class: its images, how many of them are found, and how sure a find is."""
    rows = []
    for index, name in enumerate(classes):
        right = int(((predicted == index) & (labels == index)).sum())
        images, found = int((labels == index).sum()), int((predicted == index).sum())
        rows.append(
            {
                "class": name,
                "images": images,
                "recall": right / images if images else None,
                "precision": right / found if found else None,
            }
        )
    return rows


def latencies(
    calls: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    threads: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, dict[str, Any]]:
    """Milliseconds of each call, all of them timed in the same shuffled rounds.

    There are no anchors: what is told is the machine as it was, and whether it was busy.
    """
    before = reading()
    watches = {name: partial(seconds_of, call, clock) for name, call in calls.items()}
    timed = interleaved(watches, rounds, random.Random(0), lambda _: False)
    load = others(before, reading())
    device, busy = processor(), load.is_busy(threads)
    return {
        name: {**summary(visits), "device": device, "threads": threads, "busy": busy}
        for name, visits in timed.items()
    }


def seconds_of(call: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    call()
    return clock() - start


def summary(visits: Sequence[Sequence[float]]) -> dict[str, Any]:
    """p50: the median over rounds of a round's median call; p95: over all calls. In ms."""
    calls = np.asarray(visits) * 1e3
    medians = np.median(calls, axis=1)
    (p95_ci95,) = percentiles_ci95(calls, (95,), 0)
    return {
        "p50": float(np.median(medians)),
        "p95": float(np.percentile(calls, 95)),
        "ci95": list(median_ci95(medians.tolist(), 0)),
        "p95_ci95": list(p95_ci95),
        "rounds": len(medians),
    }


def on_one_batch(call: Call, images: Array, size: int) -> Callable[[], object]:
    """The call to be timed; images are repeated or cut to the batch."""
    return partial(call, images[np.arange(size) % len(images)])
