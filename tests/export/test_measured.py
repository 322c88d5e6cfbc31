"""Numbers of an artefact: by hand, with a clock of the test's own."""

import itertools

import numpy as np
import pytest

from kdsearch.export.measured import (
    accuracy,
    best_classes,
    latencies,
    on_one_batch,
    per_class,
    summary,
)

LABELS = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 0, 0])


def test_accuracy_by_hand():
    found = accuracy(PREDICTED, LABELS)
    assert found["test_accuracy"] == 0.5
    low, high = found["test_accuracy_ci95"]
    assert low == pytest.approx(0.1876, abs=1e-4) and high == pytest.approx(0.8124, abs=1e-4)


def test_per_class_by_hand():
    rows = per_class(PREDICTED, LABELS, ["a", "b", "c", "d"])
    assert [row["images"] for row in rows] == [3, 2, 1, 0]
    assert [row["recall"] for row in rows] == [2 / 3, 1 / 2, 0, None]
    assert [row["precision"] for row in rows] == [2 / 4, 1 / 2, None, None]


def test_all_images_go_through_the_call():
    images = np.arange(150.0).reshape(-1, 1, 1, 1)
    sizes = []

    def call(part):
        sizes.append(len(part))
        return np.stack([np.zeros(len(part)), part[:, 0, 0, 0] - 100], axis=1)

    assert (best_classes(call, images) == (images[:, 0, 0, 0] > 100)).all()
    assert sum(sizes) == 150


def test_milliseconds_by_hand():
    found = summary([[0.001, 0.003], [0.002, 0.002], [0.004, 0.008]])
    assert found["p50"] == pytest.approx(2) and found["rounds"] == 3
    assert found["p95"] == pytest.approx(np.percentile([1, 3, 2, 2, 4, 8], 95))
    low, high = found["ci95"]
    assert low == pytest.approx(2) and high == pytest.approx(6)


def test_each_call_is_timed_by_the_clock():
    ticks = itertools.count()
    found = latencies(
        {"a": lambda: None, "b": lambda: None}, rounds=4, threads=1, clock=lambda: next(ticks)
    )
    assert set(found) == {"a", "b"}
    for timed in found.values():
        assert timed["p50"] == timed["p95"] == 1000
        assert (timed["rounds"], timed["threads"]) == (4, 1)
        assert timed["device"] and isinstance(timed["busy"], bool)


@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_batch_of_any_size_from_few_images(size):
    seen = []
    on_one_batch(lambda part: seen.append(part), np.arange(3.0), size)()
    assert seen[0].tolist() == [i % 3 for i in range(size)]
