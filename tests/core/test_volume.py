"""Hypervolume of a front: reference by rule, areas and volumes by hand."""

from math import log10

import pytest

from kdsearch.core.objectives import KNOWN, Objective
from kdsearch.core.volume import reference_point, volume

LARGEST = {"latency_ms": 2.0, "macs": 1000.0, "params": 100.0}
OWN = Objective("own", maximised=True, scored=True, function="module:a.b:f")
BOUNDED = Objective("own", maximised=False, scored=True, worst=4.0, function="module:a.b:f")


def asked(*names: str) -> list[Objective]:
    return [KNOWN[name] for name in names]


def test_scores_start_at_chance_or_at_their_worst_costs_beyond_the_largest() -> None:
    every = asked("accuracy", "balanced_accuracy", "macro_f1", "calibration_error", "macs")
    assert reference_point([*every, BOUNDED], 0.1, LARGEST) == pytest.approx(
        {
            "accuracy": 0.1,
            "balanced_accuracy": 0.1,
            "macro_f1": 0.0,
            "calibration_error": 1.0,
            "macs": 1100.0,
            "own": 4.0,
        }
    )


def test_a_score_of_unknown_bounds_has_no_axis() -> None:
    search = [*asked("accuracy", "macs"), OWN]
    reference = reference_point(search, 0.1, LARGEST)
    assert "own" not in reference
    points = [{"accuracy": 0.6, "macs": 11.0, "own": 7.0}]
    assert volume(points, search, reference) == pytest.approx(0.5 * log10(100))


def test_two_axes_by_hand() -> None:
    """Two steps: (0.4, half a decade above) and (0.7 at one decade below the reference)."""
    search = asked("accuracy", "latency_ms")
    reference = reference_point(search, 0.1, LARGEST)
    assert reference == {"accuracy": 0.1, "latency_ms": pytest.approx(2.2)}
    points = [{"accuracy": 0.4, "latency_ms": 0.022}, {"accuracy": 0.7, "latency_ms": 0.22}]
    assert volume(points, search, reference) == pytest.approx(0.3 * 2 + 0.3 * 1)


def test_three_axes_by_hand() -> None:
    search = asked("macro_f1", "calibration_error", "macs")
    points = [{"macro_f1": 0.5, "calibration_error": 0.2, "macs": 110.0}]
    found = volume(points, search, reference_point(search, 0.1, LARGEST))
    assert found == pytest.approx(0.5 * 0.8 * 1.0)


def test_points_beyond_the_reference_add_nothing() -> None:
    search = asked("accuracy", "macs")
    reference = reference_point(search, 0.1, LARGEST)
    assert volume([{"accuracy": 0.1, "macs": 1.0}], search, reference) == 0
    assert volume([{"accuracy": 0.9, "macs": 2000.0}], search, reference) == 0
    assert volume([], search, reference) == 0


def test_a_cost_of_nothing_has_a_place_on_a_logarithmic_axis() -> None:
    search = asked("accuracy", "params")
    found = volume([{"accuracy": 0.6, "params": 0.0}], search, {"accuracy": 0.1, "params": 1})
    assert found == pytest.approx(0.5 * 9)


def test_costs_alone_have_no_volume() -> None:
    search = [OWN, *asked("macs")]
    reference = reference_point(search, 0.1, LARGEST)
    assert reference == {"macs": pytest.approx(1100.0)}
    assert volume([{"own": 1.0, "macs": 3.0}], search, reference) is None
