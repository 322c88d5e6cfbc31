"""The two palettes and the style of the charts.

Blue against orange, told apart with every common colour blindness (after Okabe & Ito, 2008),
and shape besides colour wherever two marks differ. Text has a contrast of at least 4.5 on the
paper, marks that carry a number at least 3 (WCAG 2.1, 1.4.3 and 1.4.11).
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#ffffff",
        "shade": "#f5f6f8",
        "rule": "#dfe2e8",
        "edge": "#868f9f",
        "ink": "#171a21",
        "soft": "#596273",
        "dot": "#a3adbd",
        "student": "#0b63c5",
        "knee": "#b54a06",
        "mark": "#fff4e8",
        "line1": "#0b63c5",
        "line2": "#b54a06",
        "line3": "#0b7f6b",
        "line4": "#8f3f97",
        "line5": "#8a6a00",
        "line6": "#3f4a5c",
        "line7": "#c42f5c",
        "line8": "#1f7a8a",
    }
)
DARK: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#11141a",
        "shade": "#191d26",
        "rule": "#2d3340",
        "edge": "#6a7488",
        "ink": "#eceff4",
        "soft": "#9aa5b8",
        "dot": "#5f6b80",
        "student": "#6db3ff",
        "knee": "#ffa14d",
        "mark": "#2c2217",
        "line1": "#6db3ff",
        "line2": "#ffa14d",
        "line3": "#45cdb0",
        "line4": "#d79be0",
        "line5": "#e3c44b",
        "line6": "#b8c2d4",
        "line7": "#ff86a8",
        "line8": "#7fd6e6",
    }
)
LINES = 8
"""How many lines of one chart have a colour of their own; further ones are dashed."""

FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"

CHART = (
    """
.chart text { font: 12px FONT; fill: var(--soft); font-variant-numeric: tabular-nums; }
.chart .axis-title { fill: var(--ink); font-weight: 600; }
.chart .id { fill: var(--ink); font-weight: 600; }
.chart .halo { stroke: var(--paper); stroke-width: 3.5px; stroke-linejoin: round;
  paint-order: stroke; }
.chart .grid { stroke: var(--rule); stroke-width: 1; }
.chart .base { stroke: var(--soft); stroke-width: 1; }
.chart .trained { fill: var(--dot); fill-opacity: .85; }
.chart .screened { fill: var(--dot); fill-opacity: .5; }
.chart .stopped { fill: none; stroke: var(--dot); stroke-width: 1.1; }
.chart .stairs { fill: none; stroke: var(--student); stroke-width: 1.5; stroke-opacity: .55; }
.chart .reach { fill: var(--student); fill-opacity: .06; }
.chart .bar { stroke: var(--student); stroke-width: 1.4; }
.chart .student { fill: var(--student); stroke: var(--paper); stroke-width: 1.5; }
.chart .test { fill: var(--paper); stroke: var(--student); stroke-width: 1.4;
  pointer-events: none; }
.chart .ring { fill: none; stroke: var(--knee); stroke-width: 2.25; }
.chart .knee { fill: var(--knee); }
.chart .teacher { stroke: var(--soft); stroke-width: 1.25; stroke-dasharray: 1 4;
  stroke-linecap: round; }
.chart .limit { stroke: var(--ink); stroke-width: 1.25; stroke-dasharray: 6 4; }
.chart .beyond { fill: var(--soft); fill-opacity: .09; }
.chart .leader { stroke: var(--rule); stroke-width: 1; }
.chart .curve { fill: none; stroke-width: 1.75; stroke-linejoin: round; }
.chart .more { stroke-dasharray: 5 3; }
""".replace("FONT", FONT)
    + "".join(
        f".chart .line{i} {{ stroke: var(--line{i}); }}\n"
        f".chart .end{i} {{ fill: var(--line{i}); }}\n"
        for i in range(1, LINES + 1)
    )
)


def variables(palette: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in palette.items())


def standalone_style() -> str:
    """The charts' style with literal colours, for viewers that know no CSS variables."""
    paper = ".chart .paper { fill: var(--paper); }\n"
    light, dark = (_literal(CHART + paper, palette) for palette in (LIGHT, DARK))
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}"


def _literal(style: str, palette: Mapping[str, str]) -> str:
    return re.sub(r"var\(--(\w+)\)", lambda match: palette[match[1]], style)
