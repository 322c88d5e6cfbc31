"""Verb `front`: the published students as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from kdsearch.core.amounts import amount, title
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
IN_EVERY_TABLE = ("accuracy", "latency_ms", "latency_p95_ms", "params", "macs")
"""Objectives that have their columns in any case."""


def front_table(content: Mapping[str, Any]) -> str:
    """One row a student, fastest first; `content` is that of front.json."""
    points = content["points"]
    target = next(iter(points[0]["latency"])) if points else ""
    more = [name for name in content.get("objectives", ()) if name not in IN_EVERY_TABLE]
    rows = [row(point, more) for point in points]
    headers = (*HEADERS[:-1], *map(title, more), HEADERS[-1])
    lines = [f"latency: {target}; accuracies ± half of a 95 % interval", *busy_lines(points)]
    return "\n".join([table(rows, headers), *lines])


def busy_lines(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Whose latency was measured while others were at work, in a line; none of nobody's."""
    timed = {p["id"]: next(iter(p["latency"].values())) for p in points}
    busy = {name: found["load"] for name, found in timed.items() if found.get("busy")}
    if not busy:
        return []
    cores = f"{max(busy.values()):.1f}"
    return [f"measured on a busy machine, others kept {cores} cores busy: {', '.join(busy)}"]


def row(point: Mapping[str, Any], more: Sequence[str]) -> list[str]:
    """`more`: objectives that have columns of their own."""
    known = measured(point)
    timed = next(iter(point["latency"].values()))
    return [
        point["id"],
        with_interval(point["search_accuracy"], point["search_accuracy_ci95"]),
        with_interval(point["test_accuracy"], point["test_accuracy_ci95"]),
        milliseconds(timed["p50"]),
        milliseconds(timed["p95"]),
        count(point["params"]),
        count(point["macs"]),
        *(amount(name, known.get(name)) for name in more),
        taught(point["recipe"]),
    ]


def measured(point: Mapping[str, Any]) -> dict[str, float]:
    """Every score on search-validation and every cost of a point, by objective."""
    timed = next(iter(point["latency"].values()))
    return {
        **point.get("scores", {}),
        **point.get("costs", {}),
        "accuracy": point["search_accuracy"],
        "params": point["params"],
        "macs": point["macs"],
        "latency_ms": timed["p50"],
        "latency_p95_ms": timed["p95"],
    }


def with_interval(accuracy: float, ci95: tuple[float, float]) -> str:
    return f"{percent(accuracy)} ± {(ci95[1] - ci95[0]) * 50:.1f}"


def taught(recipe: Mapping[str, Any]) -> str:
    """'soften (temperature 4, weight 0.9, learning_rate 0.02)'."""
    values = recipe["knobs"] | recipe.get("training", {})
    listed = ", ".join(f"{name} {setting(value)}" for name, value in values.items())
    return f"{recipe['method']} ({listed})" if listed else str(recipe["method"])


def setting(value: float | str | bool) -> str:
    return str(value) if isinstance(value, str | bool) else f"{value:.3g}"
