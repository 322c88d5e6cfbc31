"""Shares of variance by Optuna's fANOVA, where they can be worked out by hand."""

import itertools

import pytest

from kdsearch.search.study.importance import importances

GRID = [dict(zip("abc", p, strict=True)) for p in itertools.product((1, 10, 100), repeat=3)]


def shares(scores: list[float]) -> dict[str, float]:
    return importances(GRID, scores, trees=32, seed=0)


def test_a_sum_is_explained_by_its_terms_variances() -> None:
    """3·a + b, with a and b in {0, 1, 2}: nine of ten parts of the variance are a's."""
    place = {1: 0.0, 10: 1.0, 100: 2.0}
    found = shares([3 * place[p["a"]] + place[p["b"]] for p in GRID])
    assert found["a"] == pytest.approx(0.9, abs=0.05)
    assert found["b"] == pytest.approx(0.1, abs=0.05)
    assert found["c"] < 0.02


def test_what_lies_in_two_axes_together_is_neithers() -> None:
    found = shares([float((p["a"] == 1) == (p["b"] == 1)) * 4.0 for p in GRID])
    assert sum(found.values()) < 0.6


def test_an_axis_of_names_has_one_share() -> None:
    points = [{"method": m, "x": x} for m in ("hard", "soften", "dist") for x in range(6)]
    scores = [float(p["method"] == "dist") for p in points]
    found = importances(points, scores, trees=32, seed=0)
    assert found["method"] > 0.95 and found["x"] < 0.02


def test_an_axis_with_one_value_and_equal_scores_explain_nothing() -> None:
    points = [{"x": i, "y": 3, "z": "one"} for i in range(10)]
    found = importances(points, [float(p["x"]) for p in points], trees=8, seed=0)
    assert (found["y"], found["z"]) == (0.0, 0.0) and found["x"] > 0.9
    assert importances(points, [1.0] * 10, trees=8, seed=0) == {"x": 0.0, "y": 0.0, "z": 0.0}
