"""The marks of the front: one small function per kind of thing, in pixels."""

from collections.abc import Sequence

from kdsearch.report.axes import line
from kdsearch.report.markup import Markup, element

RADIUS = 5.0
"""Of a student's dot."""
Pixels = tuple[float, float]


def circle(at: Pixels, radius: float, class_: str, tip: str = "") -> Markup:
    """A dot; `tip` shows up where a pointer rests on it."""
    dot = element("circle", cx=at[0], cy=at[1], r=radius, class_=class_)
    return element("g", element("title", tip), dot) if tip else dot


def diamond(at: Pixels, class_: str, half: float = 3.25) -> Markup:
    x, y = at
    corners = f"M{x:.2f} {y - half:.2f}l{half} {half}l{-half} {half}l{-half} {-half}z"
    return element("path", d=corners, class_=class_)


def triangle(x: float, bottom: float, class_: str) -> Markup:
    """Points at something below the frame."""
    return element("path", d=f"M{x - 3.5:.2f} {bottom - 7:.2f}h7l-3.5 6z", class_=class_)


def error_bars(xs: Pixels | None, ys: Pixels | None, at: Pixels) -> Markup:
    """A cross with short caps through a dot; either arm may be unknown."""
    x, y = at
    parts = ""
    if xs:
        parts += line(xs[0], y, xs[1], y, "bar")
        parts += "".join(line(end, y - 3, end, y + 3, "bar") for end in xs)
    if ys:
        parts += line(x, ys[0], x, ys[1], "bar")
        parts += "".join(line(x - 3, end, x + 3, end, "bar") for end in ys)
    return Markup(parts)


def stairs(points: Sequence[Pixels], right: float, bottom: float) -> Markup:
    """What the front reaches: from each point right, then up to the next; and the area below.

    `points` by rising x.
    """
    first_x, first_y = points[0]
    steps = f"M{first_x:.2f} {first_y:.2f}"
    steps += "".join(f"H{x:.2f}V{y:.2f}" for x, y in points[1:]) + f"H{right:.2f}"
    area = f"{steps}V{bottom:.2f}H{first_x:.2f}z"
    return Markup(
        element("path", d=area, class_="reach") + element("path", d=steps, class_="stairs")
    )
