"""The published students as a run's page shows them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kdsearch.core.distinct import distinguishable
from kdsearch.core.objectives import Objective
from kdsearch.pipeline.evidence import evidence
from kdsearch.pipeline.front import IN_EVERY_TABLE, measured
from kdsearch.report import summary as rows

Point = Mapping[str, Any]
"""One student of front.json, maybe as an older version wrote it."""
ABOUT_A_TARGET = (
    "runtime",
    "threads",
    "batch_size",
    "precision",
    "layout",
    "size",
    "device",
)


def students(
    points: Sequence[Point], objectives: Sequence[Objective]
) -> tuple[rows.StudentRow, ...]:
    same = {p["id"]: alike(p, points) for p in points}
    return tuple(student(p, objectives, same[p["id"]]) for p in points)


def student(
    point: Point, objectives: Sequence[Objective], same: Mapping[str, tuple[str, ...]]
) -> rows.StudentRow:
    known = measured(point)
    more = [one.name for one in objectives if one.name not in IN_EVERY_TABLE]
    return rows.StudentRow(
        id=point["id"],
        architecture=point["architecture"],
        method=point["recipe"]["method"],
        knobs=point["recipe"]["knobs"] | point["recipe"].get("training", {}),
        search_accuracy=point["search_accuracy"],
        params=point["params"],
        macs=point["macs"],
        search_ci95=pair(point["search_accuracy_ci95"]),
        test_accuracy=point["test_accuracy"],
        test_ci95=pair(point["test_accuracy_ci95"]),
        latencies=tuple(latencies(point)),
        trial=point["trial"],
        more={name: known.get(name) for name in more},
        rung=point.get("rung"),
        seeds=point.get("seeds"),
        energy_uj=point.get("costs", {}).get("energy_uj"),
        scores=tuple(scores(point)),
        alike=same,
    )


def latencies(point: Point) -> Iterator[rows.Latency]:
    predicted = point.get("predicted_latency") or {}
    for name, timed in point["latency"].items():
        said = predicted.get(name) or {}
        yield rows.Latency(
            name,
            timed["p50"],
            timed["p95"],
            pair(timed["ci95"]),
            timed.get("p99"),
            pair(timed.get("p95_ci95")),
            pair(timed.get("p99_ci95")),
            said.get("p50"),
            pair(said.get("interval90")),
            timed.get("load") if timed.get("busy") else None,
            bool(timed.get("predicted")),
        )


def pair(ends: Sequence[float] | None) -> rows.Interval | None:
    return None if ends is None else (ends[0], ends[1])


def scores(point: Point) -> Iterator[rows.Score]:
    between, tested = point.get("scores_ci95", {}), point.get("test_scores", {})
    known = {"accuracy": point["search_accuracy"]} | point.get("scores", {})
    for name, value in known.items():
        yield rows.Score(name, value, pair(between.get(name)), tested.get(name))


def intervals(point: Point) -> dict[str, rows.Interval]:
    """Of 95 %, by score and by cost: 'latency_p95_ms@edge' is another target's."""
    known = evidence(point).items()
    return {name: one.ci95 for name, one in known if one.ci95 is not None and not one.is_exact}


def alike(point: Point, points: Sequence[Point]) -> dict[str, tuple[str, ...]]:
    """By quantity the other students whose intervals do not tell them apart from this one."""
    own, others = intervals(point), {p["id"]: intervals(p) for p in points}
    others.pop(point["id"])
    found = {
        name: tuple(
            other
            for other, theirs in others.items()
            if name in theirs and not distinguishable(ends, theirs[name])
        )
        for name, ends in own.items()
    }
    return {name: names for name, names in found.items() if names}


def targets(front: Mapping[str, Any] | None) -> dict[str, dict[str, rows.Scalar]]:
    """What each latency target is; older fronts say so at each student alone."""
    if front is None or not front["points"]:
        return {}
    known = front.get("targets") or front["points"][0]["latency"]
    return {name: {key: one.get(key) for key in ABOUT_A_TARGET} for name, one in known.items()}
