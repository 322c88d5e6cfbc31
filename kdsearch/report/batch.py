"""The index page of a batch: its cells, the best student for each budget, their fronts."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from kdsearch.core.quantities import UNKNOWN, count, duration, milliseconds, percent, several
from kdsearch.report import batch_fronts
from kdsearch.report.document import document, nothing, section, tiles
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.tables import Cell, row, table
from kdsearch.report.wording import interval_text

Content = Mapping[str, Any]
"""That of batch.json, or one of its cells."""
STATES: Mapping[str, str] = {"unmet": "no student keeps the budget"}
"""What a state is called where its name alone would not say."""
CHOSEN = (
    "Of the cells with the same images, the same latency target and the same bounds: the "
    "student with the highest search accuracy. The test images were opened for finished "
    "fronts alone. "
    "Under each accuracy stands its 95 % interval; where those of two cells overlap, these "
    "images do not tell which one is better."
)


def page(content: Content, made: str) -> str:
    """`made`: when, as text."""
    return document(
        content["batch"],
        _header(content),
        section("The best student for each budget", _best(content["best"])),
        section("Fronts", batch_fronts.fronts(content["cells"])),
        section("Cells", _cells(content["cells"])),
        element("footer", f"kdsearch {content['kdsearch_version']}, {made}"),
        style=STYLE,
    )


STYLE = "td a, th a { text-underline-offset: 2px; }\n"


def _header(content: Content) -> Markup:
    cells = content["cells"]
    over = sum(cell["state"] == "done" for cell in cells)
    lead = f"{over} of {several(len(cells), 'search', 'searches')} came to a front."
    parts = [
        element("p", "kdsearch batch", class_="brand"),
        element("h1", content["batch"]),
        element("p", lead, class_="lead"),
        tiles(_tiles(cells)),
    ]
    failed = [f"{cell['name']} failed: {cell['reason']}" for cell in _failed(cells)]
    items = [
        element("li", element("b", "Warning: "), line)
        for line in [*failed, *content["warnings"]]
    ]
    return element(
        "header", *parts, *([element("ul", *items, class_="warnings")] * bool(items))
    )


def _failed(cells: Sequence[Content]) -> list[Content]:
    return [cell for cell in cells if cell["state"] == "failed"]


def _tiles(cells: Sequence[Content]) -> list[tuple[str, str, str]]:
    def number(state: str) -> int:
        return sum(cell["state"] == state for cell in cells)

    spent = [cell["seconds"] for cell in cells if cell["seconds"] is not None]
    items = [("done", str(number("done")), f"of {several(len(cells), 'cell')}")]
    if number("unmet"):
        items.append(("budget not met", str(number("unmet")), "an answer, too"))
    if number("failed"):
        items.append(("failed", str(number("failed")), "see below"))
    if spent:
        items.append(("time of the cells", duration(sum(spent)), "shared stages once"))
    return items


def _best(best: Sequence[Content]) -> Markup:
    if not best:
        return nothing("No cell has come to a front yet.")
    headers = ["budget", "data, and where it is timed", *FIGURES, "cell", "next best"]
    rows = [
        row(
            headers,
            [
                Cell(one["budget"]),
                Cell(one["data"], one["target"]),
                *_figures(one),
                Cell(one["cell"], f"of {one['of']}"),
                _next(one["next"]),
            ],
        )
        for one in best
    ]
    return joined([element("p", CHOSEN, class_="note"), table(headers, rows, "students")])


def _next(other: Content | None) -> Cell:
    if other is None:
        return Cell("")
    ends = interval_text(tuple(other["search_accuracy_ci95"]))
    return Cell(other["cell"], f"{percent(other['search_accuracy'])}, {ends}")


FIGURES = ("student", "search accuracy", "test accuracy", "latency p50", "parameters", "MACs")


def _figures(one: Content | None) -> list[Cell]:
    if one is None:
        return [Cell(UNKNOWN) for _ in FIGURES]
    return [
        Cell(one["id"]),
        *(
            Cell(percent(one[name]), interval_text(tuple(one[f"{name}_ci95"])), number=True)
            for name in ("search_accuracy", "test_accuracy")
        ),
        Cell(
            milliseconds(one["latency_ms"]),
            f"p95 {milliseconds(one['latency_p95_ms'])}",
            number=True,
        ),
        Cell(count(one["params"]), number=True),
        Cell(count(one["macs"]), number=True),
    ]


def _cells(cells: Sequence[Content]) -> Markup:
    headers = ["cell", "state", "students", *(f"best {name}" for name in FIGURES), "time"]
    rows = [
        row(
            headers,
            [
                Cell(_linked(cell), f"{cell['teacher']}, {cell['space']}"),
                Cell(STATES.get(cell["state"], cell["state"]), cell["reason"]),
                Cell(str(cell["students"]), number=True),
                *_figures(cell["best"]),
                Cell(duration(cell["seconds"]), number=True),
            ],
        )
        for cell in cells
    ]
    note = "A cell's name leads to its own page. Its figures are those of its most accurate "
    note += "student."
    return joined([element("p", note, class_="note"), table(headers, rows, "students")])


def _linked(cell: Content) -> str:
    """The cell's name, leading to its page where it has one."""
    if not cell["has_report"]:
        return str(cell["name"])
    return element("a", cell["name"], href=quote(f"{cell['folder']}/report.html"))
