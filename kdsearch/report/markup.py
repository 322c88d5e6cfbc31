"""Elements of HTML and SVG as text, with the one place where foreign text is escaped."""

import html
import math
from collections.abc import Iterable

from kdsearch.core.quantities import printable

LEAVES = frozenset({"meta", "link", "br", "circle", "rect", "line", "path"})
"""Elements without children; every other one is closed by its own tag, in HTML and in XML."""


class Markup(str):
    """Text that is markup already; any other string is escaped when put into an element."""

    __slots__ = ()


def escaped(text: object) -> Markup:
    """`text` as harmless content of an element or of a quoted attribute."""
    return text if isinstance(text, Markup) else Markup(html.escape(printable(str(text))))


def joined(parts: Iterable[str]) -> Markup:
    return Markup("".join(escaped(part) for part in parts))


def element(tag: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """One element; `class_` is written class, `aria_label` aria-label, None not at all."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in LEAVES:
        return Markup(f"<{tag}{written}/>")
    return Markup(f"<{tag}{written}>{joined(children)}</{tag}>")


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return escaped(value)
    if not math.isfinite(value):
        raise ValueError(f"an attribute cannot be {value}")
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
