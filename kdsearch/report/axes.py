"""What every chart has: a frame, axes with their ticks, a legend, numbers that can be drawn."""

import math
from collections.abc import Callable, Sequence
from typing import TypeGuard

from kdsearch.core.quantities import count, three_digits
from kdsearch.report.labels import Box, text_width
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.scales import Scale

Naming = Callable[[float], str]


LARGEST = 1e100
"""Beyond it, and below its inverse on a logarithmic axis, pixels cannot be worked out."""


def drawable(number: float | None) -> TypeGuard[float]:
    return number is not None and abs(number) <= LARGEST


def is_cost(number: float | None) -> TypeGuard[float]:
    """Has a place on a logarithmic axis."""
    return drawable(number) and number >= 1 / LARGEST


def is_accuracy(number: float | None) -> TypeGuard[float]:
    return drawable(number) and -1e-9 <= number <= 1 + 1e-9


def chart(width: int, height: int, label: str, *parts: str) -> Markup:
    """The outermost element; `label` is read out by screen readers."""
    return element(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        class_="chart",
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label=label,
    )


def text(content: str, x: float, y: float, anchor: str = "start", class_: str = "") -> Markup:
    return element(
        "text",
        content,
        x=float(x),
        y=float(y),
        text_anchor=None if anchor == "start" else anchor,
        class_=class_ or None,
    )


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return element(
        "line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_
    )


def y_axis(scale: Scale, frame: Box, name: Naming, about: int = 5) -> Markup:
    """Horizontal grid lines with their values on the left."""
    parts = []
    for tick in scale.ticks(about):
        parts.append(line(frame.left, scale(tick), frame.right, scale(tick), "grid"))
        parts.append(text(name(tick), frame.left - 8, scale(tick) + 4, "end"))
    return joined(parts)


def x_axis(scale: Scale, frame: Box, name: Naming, about: int = 6) -> Markup:
    """The base line with ticks; a value too near to the one before it is left out."""
    parts = [line(frame.left, frame.bottom, frame.right, frame.bottom, "base")]
    reached = -math.inf
    for tick in scale.ticks(about):
        at, half = scale(tick), text_width(name(tick)) / 2
        parts.append(line(at, frame.bottom, at, frame.bottom + 5, "base"))
        if at - half > reached + 6:
            middle = min(at, frame.right - half)
            parts.append(text(name(tick), middle, frame.bottom + 19, "middle"))
            reached = at + half
    return joined(parts)


def percents(ticks: Sequence[float]) -> Naming:
    """Names accuracies with as many decimals as the ticks need."""
    digits = next(
        (d for d in (0, 1, 2) if all(abs(t * 100 - round(t * 100, d)) < 1e-9 for t in ticks)), 3
    )
    return lambda share: f"{share * 100:.{digits}f} %"


def latencies(high_ms: float) -> Naming:
    """Names latencies in one unit for the whole axis."""
    for limit, factor, unit in ((1.0, 1000.0, "µs"), (1000.0, 1.0, "ms")):
        if high_ms < limit:
            return lambda ms: f"{three_digits(ms * factor)} {unit}"
    return lambda ms: f"{three_digits(ms / 1000)} s"


def plain(value: float) -> str:
    """Names a loss or a step."""
    if abs(value) >= 1000:
        return count(value).replace(".0 ", " ")
    return f"{value:.3g}"


def legend(
    items: Sequence[tuple[Markup, str]], x: float, y: float, right: float
) -> list[Markup]:
    """Rows of marks with their names from `x` to `right`, 20 pixels a row, the first at `y`.

    A mark is drawn around (0, 0) within 8 pixels.
    """
    rows: list[list[Markup]] = [[]]
    at = x
    for mark, name in items:
        width = 24 + text_width(name) + 14
        if rows[-1] and at + width > right:
            rows.append([])
            at = x
        place = f"translate({at + 8:.0f} {y + 20 * (len(rows) - 1):.0f})"
        rows[-1].append(element("g", mark, text(name, 14, 4), class_="legend", transform=place))
        at += width
    return [joined(row) for row in rows]
