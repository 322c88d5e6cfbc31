"""Objectives in words: units where there are some, three digits where there are none."""

import math

import pytest

from kdsearch.core.amounts import TITLES, amount, title
from kdsearch.core.objectives import KNOWN
from kdsearch.core.quantities import UNKNOWN, microjoules, plain_number


def test_every_objective_has_a_title() -> None:
    assert set(TITLES) == set(KNOWN)
    assert title("worst_class") == "worst_class"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("accuracy", 0.9723, "97.2 %"),
        ("balanced_accuracy", 0.5, "50.0 %"),
        ("macro_f1", 0.91234, "0.912"),
        ("calibration_error", 0.0341, "0.0341"),
        ("latency_ms", 0.034, "34 µs"),
        ("latency_p95_ms", 1.25, "1.25 ms"),
        ("params", 1234, "1.2 k"),
        ("macs", 34_500_000, "34.5 M"),
        ("energy_uj", 0.0342, "34.2 nJ"),
        ("worst_class", -1.5, "-1.5"),
    ],
)
def test_amounts(name: str, value: float, text: str) -> None:
    assert amount(name, value) == text


@pytest.mark.parametrize("name", [*KNOWN, "own"])
def test_what_is_not_known_is_a_dash(name: str) -> None:
    for nothing in (None, math.nan, math.inf):
        assert amount(name, nothing) == UNKNOWN


def test_energies_and_plain_numbers() -> None:
    said = [microjoules(uj) for uj in (0.9994, 0.9996, 12.5, 999.4, 2100.0)]
    assert said == ["999 nJ", "1 µJ", "12.5 µJ", "999 µJ", "2.1 mJ"]
    assert plain_number(1234567.0) == "1.23e+06"
