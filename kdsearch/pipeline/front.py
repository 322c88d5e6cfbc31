"""Verb `front`: the published students as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from kdsearch.core.amounts import amount, title
from kdsearch.core.costs_named import QUANTILES, on_target
from kdsearch.core.quantities import count, milliseconds, percent
from kdsearch.pipeline.predictor_lines import predictor_lines
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
    targets = list(points[0]["latency"]) if points else [""]
    more = further_columns(content.get("objectives", ()), targets[1:])
    rows = [row(point, more) for point in points]
    headers = (*HEADERS[:-1], *map(title, more), HEADERS[-1])
    lines = [
        f"latency: {targets[0]}; accuracies ± half of a 95 % interval",
        *busy_lines(points),
        *predictor_lines(content),
    ]
    return "\n".join([table(rows, headers), *lines])


def further_columns(objectives: Sequence[str], targets: Sequence[str]) -> list[str]:
    """Objectives without a column in every table, and the median on each further target."""
    medians = [on_target(QUANTILES["p50"], target) for target in targets]
    return list(dict.fromkeys([*medians, *(n for n in objectives if n not in IN_EVERY_TABLE)]))


def busy_lines(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Whose latency was measured while others were at work, in a line a target; none of
    nobody's."""
    lines = []
    for number, target in enumerate(points[0]["latency"] if points else ()):
        timed = {p["id"]: p["latency"].get(target, {}) for p in points}
        busy = {name: found["load"] for name, found in timed.items() if found.get("busy")}
        if busy:
            cores, where = f"{max(busy.values()):.1f}", f" on {target}" if number else ""
            lines.append(
                f"measured{where} on a busy machine, others kept {cores} cores busy: "
                f"{', '.join(busy)}"
            )
    return lines


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
    return {
        **point.get("scores", {}),
        **point.get("costs", {}),
        "accuracy": point["search_accuracy"],
        "params": point["params"],
        "macs": point["macs"],
        **timed_costs(point["latency"]),
    }


def timed_costs(latency: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The latencies of a point as costs, those on further targets under their names."""
    return {
        on_target(cost, target if number else ""): timed[quantile]
        for number, (target, timed) in enumerate(latency.items())
        for quantile, cost in QUANTILES.items()
        if timed.get(quantile) is not None
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
