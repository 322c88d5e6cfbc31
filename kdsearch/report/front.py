"""The front as a picture: accuracy against cost, with what was tried around it."""

from collections.abc import Sequence

from kdsearch.core.amounts import amount
from kdsearch.core.costs_named import TIMED, is_timed
from kdsearch.core.quantities import percent
from kdsearch.report import marks, points
from kdsearch.report.axes import (
    Naming,
    chart,
    is_accuracy,
    latencies,
    legend,
    line,
    percents,
    plain,
    text,
    x_axis,
    y_axis,
)
from kdsearch.report.colours import standalone_style
from kdsearch.report.labels import Box, place, shortened, text_width
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.points import Dot, Plot, Trial, axis_name
from kdsearch.report.summary import Cost, Summary, TrialState

MARGIN = 16
"""Of the file's paper; within the page the page has its own."""
DRAWN: tuple[tuple[TrialState, str], ...] = (
    ("trained", "trained trial"),
    ("screened", "inherited weights only"),
    ("stopped", "stopped early"),
    ("running", "still running"),
)
"""States of trials with an accuracy, and their names in the legend."""


def front_svg(summary: Summary, *, width: int = 960, height: int = 500) -> str:
    """The front as a file of its own, on its own paper, light or dark as the viewer asks."""
    style = element("style", Markup(standalone_style()))
    paper = element("rect", width=width, height=height, rx=8, class_="paper")
    label = f"{summary.run}: accuracy against {axis_name(summary.cost)}"
    inner = _contents(summary, width - 2 * MARGIN, height - 2 * MARGIN, False)
    shifted = element("g", inner, transform=f"translate({MARGIN} {MARGIN})")
    return chart(width, height, label, style, paper, shifted)


def front_chart(summary: Summary, *, width: int, height: int, linked: bool) -> Markup:
    """The front within the page; with `linked`, a dot leads to its row, '#student-1'."""
    label = f"Accuracy against {axis_name(summary.cost)}; the numbers stand in the table"
    return chart(width, height, label, _contents(summary, width, height, linked))


def cost_text(value: float | None, cost: Cost) -> str:
    return amount(cost, value)


def _contents(summary: Summary, width: int, height: int, linked: bool) -> Markup:
    students, tried = points.dots(summary), points.trials(summary)
    if not students and not tried:
        message = "No student has both an accuracy and a cost yet."
        return text(message, width / 2, height / 2, "middle")
    rows = legend(_legend_items(summary, students, tried), 0, 14, width)
    frame = Box(60, 20.0 * len(rows) + 42, width - 2, height - 48)
    plot = points.plot(summary, students, tried, frame)
    return joined(
        [
            *rows,
            _axes(summary, plot),
            *_limits(summary, plot, points.costs(students, tried)),
            *(_trial(trial, plot, linked) for trial in tried),
            _teacher(summary, plot),
            _students(summary, students, plot, linked),
        ]
    )


def _legend_items(
    summary: Summary, students: Sequence[Dot], tried: Sequence[Trial]
) -> list[tuple[Markup, str]]:
    items: list[tuple[Markup, str]] = []
    if students:
        bars = marks.error_bars((-8, 8), (-8, 8), (0, 0))
        student = Markup(bars + marks.circle((0, 0), marks.RADIUS, "student"))
        items.append((student, "student, 95 % intervals"))
    if any(is_accuracy(dot.row.test_accuracy) for dot in students):
        items.append((marks.diamond((0, 0), "test"), "its test accuracy"))
    if any(dot.row.id == summary.knee for dot in students):
        items.append((marks.circle((0, 0), 7, "ring"), "knee"))
    states = {trial.row.state for trial in tried}
    items += [(_dot((0, 0), state), name) for state, name in DRAWN if state in states]
    return items


def _dot(at: marks.Pixels, state: TrialState, tip: str = "") -> Markup:
    small = {"screened": 2.4, "trained": 3.4}.get(state, 3.0)
    return marks.circle(at, small, "stopped" if state == "running" else state, tip)


def _axes(summary: Summary, plot: Plot) -> Markup:
    frame = plot.frame
    naming: Naming = latencies(plot.x.high) if is_timed(summary.cost) else plain
    title, target = axis_name(summary.cost), _target(summary)
    full = f"{title}, {target} (logarithmic)"
    if not target or text_width(full) > frame.right - frame.left:
        full = f"{title} (logarithmic)"
    return joined(
        [
            y_axis(plot.y, frame, percents(plot.y.ticks())),
            x_axis(plot.x, frame, naming),
            text("accuracy on search-validation", 0, frame.top - 14, "start", "axis-title"),
            text(full, frame.right, frame.bottom + 41, "end", "axis-title"),
        ]
    )


def _target(summary: Summary) -> str:
    """Whose latency the x axis shows; a further target is named with the cost anyway."""
    named = (row.latencies[0].target for row in summary.students if row.latencies)
    return next(named, "") if summary.cost in TIMED else ""


def _limits(summary: Summary, plot: Plot, costs: Sequence[float]) -> list[Markup]:
    """A dashed line per bound, with what lies beyond it shaded."""
    parts = []
    frame = plot.frame
    for limit in points.limits(summary, costs):
        x = plot.x(limit.value)
        name = f"budget {cost_text(limit.value, summary.cost)}"
        left = x + 6 + text_width(name) > frame.right
        parts += [
            element(
                "rect",
                x=x,
                y=frame.top,
                width=frame.right - x,
                height=frame.bottom - frame.top,
                class_="beyond",
            ),
            line(x, frame.top - 6, x, frame.bottom, "limit"),
            text(
                name,
                x - 6 if left else x + 6,
                frame.bottom - 8,
                "end" if left else "start",
            ),
        ]
    return parts


def _trial(trial: Trial, plot: Plot, tips: bool) -> Markup:
    x = plot.x(trial.cost)
    if trial.accuracy < plot.y.low:
        return marks.triangle(x, plot.frame.bottom, trial.row.state)
    rung = "" if trial.row.rung is None else f" at rung {trial.row.rung}"
    tip = f"{trial.row.name}: {trial.row.state}{rung}, {percent(trial.accuracy)}"
    return _dot((x, plot.y(trial.accuracy)), trial.row.state, tip if tips else "")


def _teacher(summary: Summary, plot: Plot) -> Markup:
    teacher = summary.teacher
    if teacher is None or not is_accuracy(teacher.search_accuracy):
        return Markup("")
    y, frame = plot.y(teacher.search_accuracy), plot.frame
    name = f"teacher {percent(teacher.search_accuracy)}"
    return Markup(
        line(frame.left, y, frame.right, y, "teacher") + text(name, frame.left + 2, y - 6)
    )


def _students(summary: Summary, students: Sequence[Dot], plot: Plot, linked: bool) -> Markup:
    """Stairs, then bars, then dots, then names: what matters most lies on top."""
    if not students:
        return Markup("")
    places = [(plot.x(dot.cost), plot.y(dot.accuracy)) for dot in students]
    parts = [marks.stairs(rising(places), plot.frame.right, plot.frame.bottom)]
    parts += [_bars(dot, plot, at) for dot, at in zip(students, places, strict=True)]
    for dot, at in zip(students, places, strict=True):
        parts.append(_student(dot, at, dot.row.id == summary.knee, summary.cost, linked))
    for dot, (x, _) in zip(students, places, strict=True):
        if is_accuracy(dot.row.test_accuracy):
            parts.append(marks.diamond((x, plot.y(dot.row.test_accuracy)), "test"))
    return joined([*parts, *_names(summary, students, plot, places)])


def rising(places: Sequence[marks.Pixels]) -> list[marks.Pixels]:
    """Those above all before them: with further objectives others may be on the front, too."""
    kept: list[marks.Pixels] = []
    for x, y in places:
        if not kept or y < kept[-1][1]:
            kept.append((x, y))
    return kept


def _bars(dot: Dot, plot: Plot, at: marks.Pixels) -> Markup:
    xs = dot.cost_ci95 and (plot.x(dot.cost_ci95[0]), plot.x(dot.cost_ci95[1]))
    ys = dot.accuracy_ci95 and (plot.y(dot.accuracy_ci95[0]), plot.y(dot.accuracy_ci95[1]))
    return marks.error_bars(xs, ys, at)


def _student(dot: Dot, at: marks.Pixels, knee: bool, cost: Cost, linked: bool) -> Markup:
    tip = f"{dot.row.id}: {percent(dot.accuracy)}, {cost_text(dot.cost, cost)}"
    mark = marks.circle(at, marks.RADIUS, "student", tip)
    if knee:
        mark = Markup(mark + marks.circle(at, marks.RADIUS + 4.5, "ring"))
    return element("a", mark, href=f"#student-{dot.number}") if linked else mark


def _names(
    summary: Summary, students: Sequence[Dot], plot: Plot, places: Sequence[marks.Pixels]
) -> list[Markup]:
    """The ids, as many as find room: the knee's and the two ends' first."""
    taken = [Box(x - 9, y - 9, x + 9, y + 9) for x, y in places]
    for dot, (x, _) in zip(students, places, strict=True):
        if dot.accuracy_ci95:
            ends = [plot.y(end) for end in dot.accuracy_ci95]
            taken.append(Box(x - 4, min(ends) - 2, x + 4, max(ends) + 2))
    frame = Box(plot.frame.left, plot.frame.top - 8, plot.frame.right, plot.frame.bottom)
    last = len(students) - 1
    named = []
    ranks = range(len(students))
    for i in sorted(
        ranks, key=lambda i: (students[i].row.id != summary.knee, i not in (0, last))
    ):
        is_knee = students[i].row.id == summary.knee
        name = shortened(students[i].row.id, 16) + (" · knee" if is_knee else "")
        box = place(*places[i], (text_width(name), 14), taken, frame)
        if box:
            taken.append(box)
            middle = (box.left + box.right) / 2
            named.append(text(name, middle, box.bottom - 3, "middle", "id halo"))
    return named
