"""Verb `front`: the published students as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from kdsearch.core.quantities import count, milliseconds, percent
from kdsearch.pipeline.table import table

HEADERS = (
    "student",
    "search acc.",
    "test acc.",
    "latency p50",
    "p95",
    "params",
    "MACs",
    "taught by",
)


def front_table(content: Mapping[str, Any]) -> str:
    """One row a student, fastest first; `content` is that of front.json."""
    points = content["points"]
    target = next(iter(points[0]["latency"])) if points else ""
    rows = [row(point) for point in points]
    lines = [f"latency: {target}; accuracies ± half of a 95 % interval", *busy_lines(points)]
    return "\n".join([table(rows, HEADERS), *lines])


def busy_lines(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Whose latency was measured while others were at work, in a line; none of nobody's."""
    timed = {p["id"]: next(iter(p["latency"].values())) for p in points}
    busy = {name: found["load"] for name, found in timed.items() if found.get("busy")}
    if not busy:
        return []
    cores = f"{max(busy.values()):.1f}"
    return [f"measured on a busy machine, others kept {cores} cores busy: {', '.join(busy)}"]


def row(point: Mapping[str, Any]) -> list[str]:
    timed = next(iter(point["latency"].values()))
    return [
        point["id"],
        with_interval(point["search_accuracy"], point["search_accuracy_ci95"]),
        with_interval(point["test_accuracy"], point["test_accuracy_ci95"]),
        milliseconds(timed["p50"]),
        milliseconds(timed["p95"]),
        count(point["params"]),
        count(point["macs"]),
        taught(point["recipe"]),
    ]


def with_interval(accuracy: float, ci95: tuple[float, float]) -> str:
    return f"{percent(accuracy)} ± {(ci95[1] - ci95[0]) * 50:.1f}"


def taught(recipe: Mapping[str, Any]) -> str:
    """'soften (temperature 4, weight 0.9)'."""
    knobs = ", ".join(f"{name} {setting(value)}" for name, value in recipe["knobs"].items())
    return f"{recipe['method']} ({knobs})" if knobs else str(recipe["method"])


def setting(value: float | str | bool) -> str:
    return str(value) if isinstance(value, str | bool) else f"{value:.3g}"
