"""Differences of accuracies in percentage points: as words, as a cell, as a figure."""

from collections.abc import Sequence

from kdsearch.core.quantities import UNKNOWN
from kdsearch.report import dots
from kdsearch.report.axes import Naming, drawable
from kdsearch.report.compared import Spread
from kdsearch.report.document import nothing
from kdsearch.report.dots import DotPlot
from kdsearch.report.markup import Markup, element
from kdsearch.report.tables import Cell


def figure(plot: DotPlot, caption: str) -> Markup:
    """The plot for wide and for narrow screens."""
    if not any(s for column in plot.columns for s in column.spreads if s and drawable(s.mean)):
        return nothing("Nothing to draw: no run has come to its end.")
    return element(
        "figure",
        element("div", dots.wide(plot), class_="wide"),
        element("div", *(dots.narrow(plot, one) for one in plot.columns), class_="narrow"),
        element("figcaption", caption),
    )


def difference_cell(spread: Spread | None) -> Cell:
    if spread is None or not drawable(spread.mean):
        return Cell(UNKNOWN, number=True)
    ends = dots.known(spread)
    between = f"{points(ends[0])} to {points(ends[1])}" if ends else ""
    return Cell(f"{points(spread.mean)} {spread.says}".rstrip(), between, number=True)


def points(value: float, digits: int = 1) -> str:
    """A difference of accuracies in percentage points: '+1.2'."""
    return signed(f"{100 * value:+.{digits}f}")


def points_axis(ticks: Sequence[float]) -> Naming:
    """Names ticks in percentage points, with as many decimals as they need."""
    whole = all(abs(100 * tick - round(100 * tick)) < 1e-9 for tick in ticks)
    return lambda value: signed(f"{100 * value:+.{0 if whole else 1}f}")


def signed(number: str) -> str:
    """With a real minus sign, and nothing before a zero."""
    if not number.strip("+-0."):
        return number.lstrip("+-")
    return number.replace("-", "−")
