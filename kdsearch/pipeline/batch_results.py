"""What came of a batch: one row a cell, the best student for each budget, as JSON, CSV, page.

Every figure of a student is one of its cell's front.json.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import kdsearch
from kdsearch.config import Config
from kdsearch.config.cells import Cell
from kdsearch.config.latency import Latency
from kdsearch.config.targets import bounds_of, targets_of
from kdsearch.core.quantities import count, duration, milliseconds
from kdsearch.files import write_json, write_text
from kdsearch.pipeline.child import Outcome
from kdsearch.pipeline.front import with_interval
from kdsearch.pipeline.ledger import spent
from kdsearch.pipeline.table import table
from kdsearch.pipeline.trials import as_csv
from kdsearch.report.batch import page
from kdsearch.rundir import RunDir

PAGE = "index.html"
NOTHING: Mapping[str, Any] = {
    "students": 0,
    "hypervolume": None,
    "data_hash": None,
    "target": None,
    "best": None,
    "points": [],
}
"""Of a cell that has no front."""
FIGURES = (
    "id",
    "search_accuracy",
    "search_accuracy_ci95",
    "test_accuracy",
    "test_accuracy_ci95",
    "params",
    "macs",
)
"""Of a student, as front.json calls them."""
COLUMNS = (
    "name",
    "state",
    "reason",
    "seconds",
    "data",
    "teacher",
    "space",
    "device",
    "budget",
    "target",
    "students",
    "hypervolume",
)
"""Of batch.csv, before those of the student."""
GROUP = ("data", "budget", "latency of", "cell")
HEADERS = ("best", "search acc.", "test acc.", "latency p50", "params")


def content_of(
    out: Path,
    folder: str,
    cells: Sequence[Cell],
    outcomes: Mapping[str, Outcome],
    parallel: int,
) -> dict[str, Any]:
    """The content of batch.json."""
    rows = [row(cell, out, f"{folder}/{cell.name}", outcomes[cell.name]) for cell in cells]
    return {
        "schema": 1,
        "kdsearch_version": kdsearch.__version__,
        "batch": out.resolve().name,
        "parallel": parallel,
        "cells": rows,
        "best": best_of(rows),
        "warnings": list(warnings(rows)),
    }


def row(cell: Cell, out: Path, folder: str, outcome: Outcome) -> dict[str, Any]:
    run = RunDir(out / folder)
    stages = spent(run.ledger)
    found = (
        found_in(run.read(run.front, "points", "hypervolume", "data_hash"))
        if outcome.state == "done"
        else NOTHING
    )
    return {
        "name": cell.name,
        "folder": folder,
        "state": outcome.state,
        "reason": outcome.reason,
        "seconds": sum(stages.values()) if stages else None,
        "has_report": run.report.exists(),
        **asked(cell.config),
        **found,
    }


def asked(config: Config) -> dict[str, str]:
    """What the cell was to search, in words."""
    teacher, targets = config.teacher, targets_of(config)
    return {
        "data": config.data.name,
        "teacher": teacher.training if teacher.network == "family" else teacher.network,
        "space": Path(config.space).stem,
        "device": "; ".join(device_words(one) for one in targets),
        "budget": ", ".join(map(str, bounds_of(config))) or "none",
    }


def device_words(it: Latency) -> str:
    words = f"{it.runtime}, threads {it.threads}"
    return words if it.name is None else f"{it.name}: {words}"


def found_in(front: Mapping[str, Any]) -> dict[str, Any]:
    points = [figures(point) for point in front["points"]]
    best = min(points, key=accuracy_then_latency)
    return {
        "students": len(points),
        "hypervolume": front["hypervolume"],
        "data_hash": front["data_hash"],
        "target": next(iter(front["points"][0]["latency"])),
        "best": best,
        "points": points,
    }


def figures(point: Mapping[str, Any]) -> dict[str, Any]:
    timed = next(iter(point["latency"].values()))
    times = {"latency_ms": timed["p50"], "latency_p95_ms": timed["p95"]}
    return {name: point[name] for name in FIGURES} | times | {"busy": timed["busy"]}


def best_of(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The most accurate student for each budget: among cells with the same images, the same
    target and the same bounds, by search-validation accuracy.
    """
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for r in rows:
        if r["best"]:
            groups.setdefault((r["data_hash"], r["target"], r["budget"]), []).append(r)
    found = []
    for members in groups.values():
        first, *others = sorted(members, key=lambda r: accuracy_then_latency(r["best"]))
        found.append(
            {
                "data": first["data"],
                "target": first["target"],
                "budget": first["budget"],
                "of": len(members),
                "cell": first["name"],
                **first["best"],
                "next": {"cell": others[0]["name"], **others[0]["best"]} if others else None,
            }
        )
    return found


def accuracy_then_latency(student: Mapping[str, Any]) -> tuple[float, float]:
    return (-student["search_accuracy"], student["latency_ms"])


def warnings(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    busy = [r["name"] for r in rows if any(point["busy"] for point in r["points"])]
    if busy:
        yield (
            f"latencies were measured while others were at work on the machine: "
            f"{', '.join(busy)}; parallel: 1 or latency.busy: wait leaves it alone"
        )


def write_results(out: Path, content: Mapping[str, Any]) -> None:
    """batch.json, batch.csv and the page."""
    write_json(out / "batch.json", content)
    write_text(out / "batch.csv", as_csv([flat(r) for r in content["cells"]]))
    write_text(out / PAGE, page(content, datetime.now().strftime("%Y-%m-%d %H:%M")))


def flat(r: Mapping[str, Any]) -> dict[str, Any]:
    """A cell as a line of batch.csv; figures are those of its most accurate student."""
    best = dict(r["best"] or {})
    for name in ("search_accuracy", "test_accuracy"):
        low, high = best.pop(f"{name}_ci95", (None, None))
        best |= {f"{name}_low": low, f"{name}_high": high}
    return {**{name: r[name] for name in COLUMNS}, "student": best.pop("id", None), **best}


def words(content: Mapping[str, Any]) -> str:
    """The cells, and the best student for each budget, as a person reads them."""
    cells = [
        [r["name"], r["state"], str(r["students"]), *student(r["best"]), duration(r["seconds"])]
        for r in content["cells"]
    ]
    lines = [table(cells, ("cell", "state", "students", *HEADERS, "time"))]
    lines += [f"{r['name']}: {r['reason']}" for r in content["cells"] if r["reason"]]
    if content["best"]:
        best = [
            [b["data"], b["budget"], b["target"], b["cell"], *student(b)]
            for b in content["best"]
        ]
        lines += ["", "the best student for each budget:", table(best, (*GROUP, *HEADERS))]
    return "\n".join([*lines, *(f"warning: {w}" for w in content["warnings"])])


def student(best: Mapping[str, Any] | None) -> list[str]:
    if best is None:
        return ["–"] * 5
    return [
        best["id"],
        with_interval(best["search_accuracy"], best["search_accuracy_ci95"]),
        with_interval(best["test_accuracy"], best["test_accuracy_ci95"]),
        milliseconds(best["latency_ms"]),
        count(best["params"]),
    ]
