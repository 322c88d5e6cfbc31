"""Tables of plain text, for stdout."""

import textwrap
import unicodedata
from collections.abc import Sequence

from kdsearch.core.quantities import printable

WIDEST = 100
"""Columns of a line that is broken."""


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


def paragraphs(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    """What a table is too wide for: each row a paragraph, its first cell above the others,
    which stand in lines of their own with their headers."""
    return "\n\n".join("\n".join(paragraph(row, headers)) for row in rows)


def paragraph(row: Sequence[str], headers: Sequence[str]) -> list[str]:
    first, *others = map(printable, row)
    beside = max(map(len, headers[1:])) + 4
    lines = [first]
    for header, cell in zip(headers[1:], others, strict=True):
        lead = f"  {header}".ljust(beside)
        lines += textwrap.wrap(
            cell, WIDEST, initial_indent=lead, subsequent_indent=" " * beside
        )
    return lines


def width(text: str) -> int:
    """Columns a terminal gives to `text`: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def is_number_like(cell: str) -> bool:
    """'1.2 k', '34 µs', '97.2 %', '-3', a dash for nothing, and nothing."""
    return not cell or cell == "–" or cell.removeprefix("-")[:1].isdigit()
