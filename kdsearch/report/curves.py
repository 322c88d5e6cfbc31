"""Training curves: per stage one panel for the loss and one for the accuracy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from kdsearch.core.quantities import percent
from kdsearch.report.axes import (
    LARGEST,
    Naming,
    chart,
    drawable,
    is_accuracy,
    line,
    percents,
    plain,
    text,
    x_axis,
    y_axis,
)
from kdsearch.report.colours import LINES
from kdsearch.report.labels import Box, shortened, spread, text_width
from kdsearch.report.markup import Markup, element
from kdsearch.report.scales import Scale, nice_ticks, padded, padded_log
from kdsearch.report.summary import Curve, Points

WIDTH, HEIGHT = 430, 240
MOST_POINTS = 240
"""Points kept per line: about two pixels each."""
MOST_STEPS = 1e15
TICKS = 4
NAMED = 12
"""Lines that get their name at the end; with more the names would not be readable."""


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    points: Points


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    lines: list[Line]
    low: float
    high: float
    log: bool
    naming: Naming
    """Of the ticks."""
    last: Naming
    """Of a line's last value."""


def stages(curves: Sequence[Curve]) -> list[tuple[str, list[Curve]]]:
    """The curves by stage, both in the order they first come."""
    first = list(dict.fromkeys(curve.stage for curve in curves))
    ordered = sorted(curves, key=lambda curve: first.index(curve.stage))
    return [(stage, list(group)) for stage, group in groupby(ordered, lambda c: c.stage)]


def loss_panel(curves: Sequence[Curve]) -> Markup | None:
    """None where no loss is known; logarithmic where the losses span more than a decade."""
    lines = _lines([(curve.name, curve.loss) for curve in curves])
    values = [value for one in lines for _, value in one.points]
    if not values:
        return None
    log = min(values) >= 1 / LARGEST and max(values) / min(values) > 10
    low, high = (padded_log if log else padded)(min(values), max(values))
    title = "loss (logarithmic)" if log else "loss"
    return _drawn(Panel(title, lines, low, high, log, plain, _loss))


def accuracy_panel(curves: Sequence[Curve]) -> Markup | None:
    """None where no accuracy is known."""
    lines = _lines([(curve.name, curve.accuracy) for curve in curves], is_accuracy)
    values = [value for one in lines for _, value in one.points]
    if not values:
        return None
    low, high = padded(min(values), max(values))
    low, high = max(low, -0.02), min(high, 1.004)
    naming = percents(nice_ticks(low, high, TICKS))
    return _drawn(
        Panel("accuracy on search-validation", lines, low, high, False, naming, percent)
    )


def thinned(points: Points, most: int = MOST_POINTS) -> Points:
    """At most `most` points: means over equal stretches, and the last point as it is."""
    if len(points) <= most:
        return points
    edges = [i * len(points) // (most - 1) for i in range(most)]
    means = []
    for start, end in zip(edges, edges[1:], strict=False):
        stretch = points[start:end]
        means.append(
            (
                sum(step for step, _ in stretch) / len(stretch),
                sum(value for _, value in stretch) / len(stretch),
            )
        )
    return (*means, points[-1])


def _lines(
    named: Sequence[tuple[str, Points]], is_one: Callable[[float], bool] = drawable
) -> list[Line]:
    """The lines that have points, with the points that can be drawn."""
    kept = [
        Line(name, tuple(p for p in points if 0 <= p[0] <= MOST_STEPS and is_one(p[1])))
        for name, points in named
    ]
    return [Line(one.name, thinned(one.points)) for one in kept if one.points]


def _drawn(panel: Panel) -> Markup:
    ends = _end_texts(panel)
    frame = _frame(panel, ends)
    steps = [step for one in panel.lines for step, _ in one.points]
    x = Scale(0, max(1.0, *steps), frame.left, frame.right)
    y = Scale(panel.low, panel.high, frame.bottom, frame.top, log=panel.log)
    parts = [
        text(panel.title, 0, 14, "start", "axis-title"),
        y_axis(y, frame, panel.naming, TICKS),
        x_axis(x, frame, plain, 5),
        text("step", frame.right, frame.bottom + 38, "end"),
        *(_curve(one, rank, x, y) for rank, one in enumerate(panel.lines)),
        *_ends(panel.lines, ends, x, y, frame),
    ]
    label = f"{panel.title} against step: {', '.join(one.name for one in panel.lines)}"
    return chart(WIDTH, HEIGHT, label, *parts)


def _frame(panel: Panel, ends: Sequence[str]) -> Box:
    """Leaves room for the longest text on each side."""
    ticks = Scale(panel.low, panel.high, 0, 1, log=panel.log).ticks(TICKS)
    left = max((text_width(panel.naming(tick)) for tick in ticks), default=0.0)
    right = max((text_width(end) for end in ends), default=0.0)
    return Box(left + 10, 34, WIDTH - right - 12, HEIGHT - 46)


def _end_texts(panel: Panel) -> list[str]:
    """The last value of each line, after its name where there are several; none if too many."""
    if len(panel.lines) > NAMED:
        return []
    values = [panel.last(one.points[-1][1]) for one in panel.lines]
    if len(values) == 1:
        return values
    names = [shortened(one.name, 12) for one in panel.lines]
    return [f"{name} {value}" for name, value in zip(names, values, strict=True)]


def _loss(value: float) -> str:
    """Three digits, zeros at the end kept: the names below each other compare."""
    return plain(value) if abs(value) >= 100 else f"{value:#.3g}"


def _curve(one: Line, rank: int, x: Scale, y: Scale) -> Markup:
    class_ = f"curve line{rank % LINES + 1}" + (" more" if rank >= LINES else "")
    places = [(x(step), y(value)) for step, value in one.points]
    if len(places) == 1:
        (cx, cy) = places[0]
        return element("circle", cx=cx, cy=cy, r=3.0, class_=f"end{rank % LINES + 1}")
    d = "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in places)
    return element("path", d=d, class_=class_)


def _ends(
    lines: Sequence[Line], ends: Sequence[str], x: Scale, y: Scale, frame: Box
) -> list[Markup]:
    """Name and last value beside each line's end, moved apart where lines end close by."""
    true = [y(one.points[-1][1]) for one in lines[: len(ends)]]
    moved = spread(true, 14, frame.top - 4, frame.bottom)
    parts = []
    for rank, (one, end) in enumerate(zip(lines, ends, strict=False)):
        from_x = x(one.points[-1][0])
        parts.append(line(from_x + 2, true[rank], frame.right + 6, moved[rank], "leader"))
        class_ = f"end{rank % LINES + 1} halo"
        parts.append(text(end, frame.right + 8, moved[rank] + 4, "start", class_))
    return parts
