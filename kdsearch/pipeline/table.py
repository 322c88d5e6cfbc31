"""A table of plain text, for stdout."""

import unicodedata
from collections.abc import Sequence

from kdsearch.core.quantities import printable


def table(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    """Columns aligned with blanks, numbers to the right; no newline at the end."""
    lines = [[printable(cell) for cell in line] for line in (headers, *rows)]
    columns = list(zip(*lines, strict=True))
    widths = [max(map(width, column)) for column in columns]
    right = [all(map(is_number_like, column[1:])) and len(column) > 1 for column in columns]
    rule = ["-" * one for one in widths]
    return "\n".join(
        "  ".join(
            " " * (space - width(cell)) + cell
            if to_right
            else cell + " " * (space - width(cell))
            for cell, space, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in (lines[0], rule, *lines[1:])
    )


def width(text: str) -> int:
    """Columns a terminal gives to `text`: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def is_number_like(cell: str) -> bool:
    """'1.2 k', '34 µs', '97.2 %', '-3', a dash for nothing, and nothing."""
    return not cell or cell == "–" or cell.removeprefix("-")[:1].isdigit()
