"""A dot plot: one row a method, its mean with the 95 % interval, the single runs below it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kdsearch.report import marks
from kdsearch.report.axes import Naming, chart, drawable, legend, line, text, x_axis
from kdsearch.report.compared import Spread
from kdsearch.report.labels import Box, shortened, text_width
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.scales import Scale, padded

STYLE = """
.chart .name { fill: var(--ink); }
.chart .open { fill: var(--paper); stroke: var(--student); stroke-width: 1.5; }
.chart .beyond-edge { fill: var(--student); }
"""
WIDE, NARROW = 1032, 380
ROW, TALL_ROW = 26, 40
"""Pixels a method takes, its name beside its marks or above them."""
NAMES = 250
"""At most so many pixels for the names."""
VALUES = 62
"""Pixels for the mean in figures, right of the frame."""
GAP = 36
"""Between two columns."""
TICKS = 5
LINES: Mapping[str, str] = {"hard": "limit", "soften": "teacher"}
"""Classes of the vertical lines of the baselines."""


@dataclass(frozen=True, slots=True)
class Column:
    """One frame of a plot; `spreads` has one for each name of the plot."""

    title: str
    spreads: Sequence[Spread | None]
    lines: Mapping[str, float] = field(default_factory=dict)
    """Named values that get a vertical line."""


@dataclass(frozen=True, slots=True)
class DotPlot:
    """Columns that share their rows and their axis."""

    title: str
    description: str
    """Read out by screen readers after the title."""
    names: Sequence[str]
    columns: Sequence[Column]
    axis: Callable[[Sequence[float]], Naming]
    """Names the ticks, given all of them."""
    value: Naming
    """Of a mean."""
    has_zero: bool = False
    """Differences: zero gets a line, and a mean whose interval holds it is left open."""


def wide(plot: DotPlot) -> Markup:
    """All columns side by side, each name left of its row."""
    names = [fitted(name, NAMES) for name in plot.names]
    left = max((text_width(name) for name in names), default=0.0) + 14
    width = (WIDE - left - GAP * (len(plot.columns) - 1)) / max(1, len(plot.columns))
    frames = [
        (left + k * (width + GAP), left + k * (width + GAP) + width - VALUES)
        for k in range(len(plot.columns))
    ]
    top, head = heading(plot, WIDE)
    rows = [top + ROW * k + ROW / 2 for k in range(len(names))]
    bottom = top + ROW * len(names)
    parts = [*head]
    for name, y in zip(names, rows, strict=True):
        parts.append(line(0, y - ROW / 2, WIDE, y - ROW / 2, "grid"))
        parts.append(text(name, 0, y + 2, "start", "name"))
    for column, (start, end) in zip(plot.columns, frames, strict=True):
        parts.append(drawn(plot, column, Box(start, top, end, bottom), rows))
    return finished(plot, WIDE, bottom, parts)


def narrow(plot: DotPlot, column: Column) -> Markup:
    """One column, each name above its row."""
    top, head = heading(plot, NARROW)
    rows = [top + TALL_ROW * k + 27 for k in range(len(plot.names))]
    bottom = top + TALL_ROW * len(plot.names)
    frame = Box(20, top, NARROW - VALUES, bottom)
    parts = [*head, *(line(0, y - 27, NARROW, y - 27, "grid") for y in rows)]
    parts.append(drawn(plot, column, frame, rows))
    for name, y in zip(plot.names, rows, strict=True):
        parts.append(text(fitted(name, NARROW - 8), 0, y - 12, "start", "name halo"))
    return finished(plot, NARROW, bottom, parts)


def finished(plot: DotPlot, width: int, bottom: float, parts: Sequence[str]) -> Markup:
    told = (element("title", plot.title), element("desc", plot.description))
    return chart(width, round(bottom) + 30, plot.title, *told, *parts)


def heading(plot: DotPlot, width: int) -> tuple[float, list[Markup]]:
    """Where the frames begin, and the legend above them."""
    rows = legend(legend_items(plot), 0, 14, width)
    bands = 15 * max((len(column.lines) for column in plot.columns), default=0)
    return 20.0 * len(rows) + 34 + bands, rows


def legend_items(plot: DotPlot) -> list[tuple[Markup, str]]:
    bar = marks.error_bars((-8, 8), None, (0, 0))
    filled = Markup(bar + marks.circle((0, 0), 4, "student"))
    runs = marks.circle((0, 0), 2.4, "trained")
    if not plot.has_zero:
        return [(filled, "mean, 95 % interval"), (runs, "single run")]
    open_ = Markup(bar + marks.circle((0, 0), 4, "open"))
    return [
        (filled, "mean, 95 % interval leaves zero out"),
        (open_, "mean, interval holds zero"),
        (runs, "single pair"),
    ]


def drawn(plot: DotPlot, column: Column, frame: Box, rows: Sequence[float]) -> Markup:
    x = Scale(*extent(plot), frame.left, frame.right)
    above = frame.top - 6 - 15 * len(column.lines)
    parts = [
        text(column.title, frame.left, above, "start", "axis-title"),
        x_axis(x, frame, plot.axis(x.ticks(TICKS)), TICKS),
    ]
    if plot.has_zero:
        parts.append(line(x(0), frame.top, x(0), frame.bottom, "base"))
    for rank, (name, value) in enumerate(column.lines.items()):
        parts.append(upright(f"{name} {plot.value(value)}", x(value), rank, name, frame))
    for name, spread, y in zip(plot.names, column.spreads, rows, strict=True):
        parts.append(row(plot, name, spread, x, y))
    return joined(parts)


def upright(label: str, at: float, rank: int, name: str, frame: Box) -> Markup:
    """A vertical line with its label above the frame, in a band of its own."""
    half = text_width(label) / 2
    middle = min(max(at, frame.left + half), frame.right + VALUES - half)
    band = frame.top - 6 - 15 * rank
    return joined(
        [
            line(at, frame.top - 3, at, frame.bottom, LINES.get(name, "limit")),
            text(label, middle, band, "middle"),
        ]
    )


def row(plot: DotPlot, name: str, spread: Spread | None, x: Scale, y: float) -> Markup:
    """Interval and mean, then the single runs a little lower, then the mean in figures."""
    if spread is None:
        return Markup("")
    if not drawable(spread.mean):
        return text("no run came to its end", x.start + 4, y + 4)
    told = spread.ci95 is not None and not spread.ci95[0] <= 0 <= spread.ci95[1]
    class_ = "student" if told or not plot.has_zero else "open"
    ends = known(spread)
    between = f" ({plot.value(ends[0])} to {plot.value(ends[1])})" if ends else ""
    tip = f"{name}: {plot.value(spread.mean)}{between}"
    runs = [(x(run), y + 5 + 2 * (k % 3)) for k, run in enumerate(spread.runs) if drawable(run)]
    return joined(
        [
            *(marks.circle(at, 2.2, "trained") for at in runs),
            *([interval(ends, x, y - 3)] if ends else []),
            marks.circle((x(spread.mean), y - 3), 4, class_, tip),
            text(plot.value(spread.mean), x.end + VALUES - 6, y + 2, "end", "name"),
        ]
    )


def interval(ends: tuple[float, float], x: Scale, y: float) -> Markup:
    """A bar with caps; an end beyond the frame becomes an arrow."""
    low, high = x(max(ends[0], x.low)), x(min(ends[1], x.high))
    parts = [line(low, y, high, y, "bar")]
    for end, at, outward in ((ends[0], low, -5), (ends[1], high, 5)):
        if x.low <= end <= x.high:
            parts.append(line(at, y - 3, at, y + 3, "bar"))
        else:
            tip = f"M{at + outward:.2f} {y:.2f}l{-outward} -3.5v7z"
            parts.append(element("path", d=tip, class_="beyond-edge"))
    return joined(parts)


def extent(plot: DotPlot) -> tuple[float, float]:
    """The axis: every mean and run, and of intervals as much again on each side at most."""
    spreads = [s for column in plot.columns for s in column.spreads if s is not None]
    points = [v for s in spreads for v in (s.mean, *s.runs) if drawable(v)]
    points += [value for column in plot.columns for value in column.lines.values()]
    points += [0.0] if plot.has_zero else []
    if not points:
        return 0.0, 1.0
    low, high = min(points), max(points)
    ends = [end for s in spreads for end in known(s) or ()]
    room = max(high - low, 0.01)
    low = min(low, max(min(ends, default=low), low - room))
    high = max(high, min(max(ends, default=high), high + room))
    low, high = padded(low, high, 0.04)
    return (low, high) if plot.has_zero else (max(low, -0.01), min(high, 1.01))


def known(spread: Spread) -> tuple[float, float] | None:
    """The interval if both ends can be drawn."""
    ends = spread.ci95
    return ends if ends is not None and all(map(drawable, ends)) else None


def fitted(name: str, width: float) -> str:
    """The name, cut to `width` pixels where it is longer."""
    cuts = (shortened(name, most) for most in range(len(name), 0, -1))
    return next((cut for cut in cuts if text_width(cut) <= width), "")
