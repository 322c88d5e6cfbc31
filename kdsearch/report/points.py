"""What of a run can be drawn as its front, and on which axes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kdsearch.core.amounts import title
from kdsearch.report.axes import is_accuracy, is_cost
from kdsearch.report.labels import Box
from kdsearch.report.scales import Scale, padded, padded_log
from kdsearch.report.summary import Cost, Interval, Limit, StudentRow, Summary, TrialDot

AXIS_NAMES: dict[Cost, str] = {
    "latency_ms": "latency p50",
    "latency_p95_ms": "latency p95",
    "macs": "multiply-accumulates",
    "params": "parameters",
    "energy_uj": "estimated energy (µJ an image)",
}


def axis_name(cost: Cost) -> str:
    return AXIS_NAMES.get(cost) or title(cost)


@dataclass(frozen=True, slots=True)
class Dot:
    """A student that can be drawn."""

    number: int
    """Its row in the table, from 1."""
    row: StudentRow
    cost: float
    accuracy: float
    cost_ci95: Interval | None
    accuracy_ci95: Interval | None


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial that can be drawn."""

    row: TrialDot
    cost: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Plot:
    """Axes in pixels within a frame."""

    frame: Box
    x: Scale
    y: Scale


def dots(summary: Summary) -> list[Dot]:
    """The students with a known accuracy and cost, by rising cost."""
    found = []
    for number, row in enumerate(summary.students, start=1):
        cost, interval = cost_of(row, summary.cost)
        accuracy = row.search_accuracy
        if is_cost(cost) and is_accuracy(accuracy):
            intervals = known(interval, is_cost), known(row.search_ci95, is_accuracy)
            found.append(Dot(number, row, cost, accuracy, *intervals))
    return sorted(found, key=lambda dot: dot.cost)


def cost_of(row: StudentRow, cost: Cost) -> tuple[float | None, Interval | None]:
    """A student's place on the x axis, with its interval."""
    timed = row.latencies[0] if row.latencies else None
    if cost == "latency_ms" and timed is not None:
        return timed.p50_ms, timed.ci95_ms
    known = {
        "macs": row.macs,
        "params": row.params,
        "latency_p95_ms": None if timed is None else timed.p95_ms,
    }
    return known.get(cost, row.more.get(cost)), None


def known(interval: Interval | None, is_one: Callable[[float], bool]) -> Interval | None:
    """The interval if both ends can be drawn."""
    return interval if interval is not None and all(map(is_one, interval)) else None


def trials(summary: Summary) -> list[Trial]:
    return [
        Trial(row, row.cost, row.accuracy)
        for row in summary.trials
        if is_accuracy(row.accuracy) and is_cost(row.cost)
    ]


def costs(students: Sequence[Dot], tried: Sequence[Trial]) -> list[float]:
    return [dot.cost for dot in students] + [trial.cost for trial in tried]


def limits(summary: Summary, costs: Sequence[float]) -> list[Limit]:
    """The bounds on the x axis that lie near enough to the points to be drawn with them."""
    low, high = min(costs, default=0.0) / 3, max(costs, default=0.0) * 3
    return [b for b in summary.limits if b.cost == summary.cost and low <= b.value <= high]


def plot(summary: Summary, students: Sequence[Dot], tried: Sequence[Trial], frame: Box) -> Plot:
    """Axes for at least one student or trial."""
    drawn = costs(students, tried)
    drawn += [end for dot in students for end in dot.cost_ci95 or ()]
    drawn += [limit.value for limit in limits(summary, drawn)]
    x = Scale(*padded_log(min(drawn), max(drawn)), frame.left, frame.right, log=True)
    y = Scale(*_accuracies(summary, students, tried), frame.bottom, frame.top)
    return Plot(frame, x, y)


def lowest(summary: Summary) -> float:
    """The lower end of the y axis."""
    return _accuracies(summary, dots(summary), trials(summary))[0]


def _accuracies(
    summary: Summary, students: Sequence[Dot], tried: Sequence[Trial]
) -> tuple[float, float]:
    """The range of the y axis: all of the front, and of the trials as far as it stays readable.

    Inherited weights score far below trained ones. The front keeps three fifths of the height;
    a trial below the frame becomes a small triangle on its lower edge.
    """
    others = [trial.accuracy for trial in tried]
    front = [value for dot in students for value in (dot.accuracy, *(dot.accuracy_ci95 or ()))]
    front += [d.row.test_accuracy for d in students if is_accuracy(d.row.test_accuracy)]
    if summary.teacher and is_accuracy(summary.teacher.search_accuracy):
        front.append(summary.teacher.search_accuracy)
    low, high = min(front + others), max(front + others)
    if students:
        low = max(low, min(front) - max(0.6 * (high - min(front)), 0.02))
    low, high = padded(low, high, 0.07)
    return max(low, -0.02), min(high, 1.004)
