"""The fronts of a batch's cells in one picture: accuracy against latency and against size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kdsearch.report.axes import (
    Naming,
    chart,
    is_accuracy,
    is_cost,
    latencies,
    legend,
    percents,
    plain,
    text,
    x_axis,
    y_axis,
)
from kdsearch.report.colours import LINES
from kdsearch.report.document import nothing
from kdsearch.report.labels import Box, shortened
from kdsearch.report.marks import circle
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.scales import Scale, padded, padded_log

Content = Mapping[str, Any]
WIDTH, HEIGHT = 500, 320
NAMED = 24
"""Cells whose names are written beside the picture; with more they would not be read."""
LONGEST = 60
"""Letters of a cell's name in a legend."""
CAPTION = (
    "Each line is what one cell’s front reaches: the best search accuracy to be had up to each "
    "cost. Costs are on a logarithmic axis. Only cells with the same images and the same "
    "latency target are drawn together."
)


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    points: list[tuple[float, float]]
    """(cost, accuracy) by rising cost."""


def fronts(cells: Sequence[Content]) -> Markup:
    """One figure for each data set and latency target."""
    groups: dict[tuple[str, str], list[Content]] = {}
    for cell in cells:
        if cell["points"]:
            groups.setdefault((cell["data_hash"], cell["target"]), []).append(cell)
    if not groups:
        return nothing("Nothing to draw yet.")
    drawn = [_figure(members) for members in groups.values()]
    return joined([element("p", CAPTION, class_="note"), *drawn])


def _figure(cells: Sequence[Content]) -> Markup:
    title = f"{cells[0]['data']}, {cells[0]['target']}"
    axes = {"latency_ms": "latency p50", "params": "parameters"}
    panels = [
        element("div", _panel([_line(cell, cost) for cell in cells], cost, name))
        for cost, name in axes.items()
    ]
    names = _names([cell["name"] for cell in cells])
    return joined(
        [element("h3", title), names, element("div", *panels, class_="panels")],
    )


def _line(cell: Content, cost: str) -> Line:
    """What can be drawn of a cell's front."""
    found = sorted((p[cost], p["search_accuracy"]) for p in cell["points"])
    return Line(cell["name"], [p for p in found if is_cost(p[0]) and is_accuracy(p[1])])


def _names(names: Sequence[str]) -> Markup:
    """Which colour is whose."""
    if len(names) > NAMED:
        return element("p", f"{len(names)} cells; see the table for each.", class_="note")
    items = [
        (_mark(rank, (0, 0), name), shortened(name, LONGEST)) for rank, name in enumerate(names)
    ]
    rows = legend(items, 0, 14, 2 * WIDTH)
    return chart(2 * WIDTH, 20 * len(rows) + 4, "which colour is whose", *rows)


def _mark(rank: int, at: tuple[float, float], tip: str) -> Markup:
    return circle(at, 3.5, f"end{rank % LINES + 1}", tip)


def _panel(lines: Sequence[Line], cost: str, name: str) -> Markup:
    points = [point for line in lines for point in line.points]
    if not points:
        return nothing(f"No {name} that could be drawn.")
    frame = Box(56, 30, WIDTH - 4, HEIGHT - 46)
    costs, accuracies = zip(*points, strict=True)
    low, high = padded(min(accuracies), max(accuracies), 0.07)
    x = Scale(*padded_log(min(costs), max(costs)), frame.left, frame.right, log=True)
    y = Scale(max(low, -0.02), min(high, 1.004), frame.bottom, frame.top)
    naming: Naming = latencies(x.high) if cost == "latency_ms" else plain
    return chart(
        WIDTH,
        HEIGHT,
        f"Search accuracy against {name}; the numbers stand in the table",
        y_axis(y, frame, percents(y.ticks())),
        x_axis(x, frame, naming),
        text("search accuracy", 0, 14, "start", "axis-title"),
        text(name, frame.right, frame.bottom + 38, "end", "axis-title"),
        *(_stairs(line, rank, x, y) for rank, line in enumerate(lines) if line.points),
    )


def _stairs(line: Line, rank: int, x: Scale, y: Scale) -> Markup:
    """What the front reaches; what is not better than something cheaper lies below its line."""
    dots = [_mark(rank, (x(c), y(a)), f"{line.name}: {a:.1%}") for c, a in line.points]
    first, *others = line.points
    path, reached = f"M{x(first[0]):.1f} {y(first[1]):.1f}", first[1]
    for cost, accuracy in others:
        if accuracy > reached:
            path += f"H{x(cost):.1f}V{y(accuracy):.1f}"
            reached = accuracy
    path += f"H{x.end:.1f}"
    class_ = f"curve line{rank % LINES + 1}" + (" more" if rank >= LINES else "")
    return joined([element("path", d=path, class_=class_), *dots])
