"""The front as a table, and what is said of the machine it was measured on."""

from typing import Any

from kdsearch.pipeline.front import busy_lines, front_table, measured


def point(name: str, **timed: Any) -> dict[str, Any]:
    latency = {"p50": 0.5, "p95": 0.6, "ci95": [0.4, 0.6], **timed}
    return {
        "id": name,
        "search_accuracy": 0.9,
        "search_accuracy_ci95": [0.85, 0.95],
        "test_accuracy": 0.9,
        "test_accuracy_ci95": [0.85, 0.95],
        "params": 1000,
        "macs": 2000,
        "recipe": {"method": "hard", "knobs": {}},
        "latency": {"here": latency},
    }


def test_students_measured_on_a_busy_machine_are_named() -> None:
    points = [
        point("a", busy=True, load=1.26),
        point("b", busy=False, load=0.2),
        point("c", busy=True, load=3.5),
    ]
    line = "measured on a busy machine, others kept 3.5 cores busy: a, c"
    assert busy_lines(points) == [line]


def test_nothing_is_said_of_a_quiet_machine_or_one_that_does_not_tell() -> None:
    quiet = [point("a", busy=False, load=0.1), point("b", busy=False, load=None), point("c")]
    assert busy_lines(quiet) == busy_lines([]) == []


def test_further_objectives_have_columns_of_their_own() -> None:
    one = point("a") | {"scores": {"macro_f1": 0.8765}, "costs": {"energy_uj": 0.0125}}
    names = ["macro_f1", "calibration_error", "latency_ms", "energy_uj"]
    headers, _, row, *_ = front_table({"points": [one], "objectives": names}).splitlines()
    for cell in ("macro-F1", "calib. error", "energy est."):
        assert headers.count(cell) == 1
    assert "0.876" in row and "12.5 nJ" in row and "–" in row
    usual = front_table({"points": [one], "objectives": ["accuracy", "macs"]})
    assert "energy" not in usual


def test_every_further_target_has_a_column_and_a_word_if_it_was_busy() -> None:
    one = point("a", p99=0.7)
    one["latency"]["edge"] = {"p50": 3.0, "p95": 4.0, "ci95": [2, 4], "busy": True, "load": 1.0}
    names = ["accuracy", "latency_ms@edge", "latency_p99_ms"]
    text = front_table({"points": [one], "objectives": names})
    headers, _, row, *notes = text.splitlines()
    assert headers.count("latency p50 @edge") == 1 and headers.count("latency p99") == 1
    assert "3 ms" in row and "700 µs" in row
    assert notes[-1] == "measured on edge on a busy machine, others kept 1.0 cores busy: a"
    assert measured(one)["latency_p95_ms@edge"] == 4.0
    assert "latency_p99_ms@edge" not in measured(one), "as an older version left it"
