"""Short texts for what a row holds: a recipe, an architecture, an interval, a plain value."""

import re
from collections.abc import Mapping

from kdsearch.core.quantities import UNKNOWN, percent
from kdsearch.report.axes import drawable
from kdsearch.report.summary import Interval, Scalar

SEPARATOR = " · "
NO_BREAK = "\N{NO-BREAK SPACE}"


def value_text(value: Scalar) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def knobs_text(knobs: Mapping[str, Scalar]) -> str:
    """A line may break between knobs, not within one."""
    return SEPARATOR.join(f"{k}{NO_BREAK}{value_text(value)}" for k, value in knobs.items())


def architecture_lines(architecture: Mapping[str, Scalar]) -> list[str]:
    """One line per kind of choice, stages side by side: 'width 8, 16, 32'.

    Axes that differ in a number alone ('stage1.width', 'stage2.width') are of one kind.
    """
    kinds: dict[str, list[tuple[str, str]]] = {}
    for axis, value in architecture.items():
        kinds.setdefault(re.sub(r"\d+", "#", axis), []).append((axis, value_text(value)))
    return [
        f"{_kind_name(kind) if len(of_kind) > 1 else of_kind[0][0]} "
        + ", ".join(value for _, value in of_kind)
        for kind, of_kind in kinds.items()
    ]


def _kind_name(kind: str) -> str:
    parts = [part for part in kind.split(".") if "#" not in part]
    return ".".join(parts) or kind.replace("#", "").strip("._- ") or kind


def interval_text(interval: Interval | None) -> str:
    """'95.0 – 98.4': the unit stands with the value above it."""
    if interval is None or not all(drawable(end) for end in interval):
        return ""
    low, high = (percent(end).removesuffix(" %") for end in interval)
    return f"{low} – {high}"
