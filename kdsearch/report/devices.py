"""Where latencies were measured, and how well they were predicted beforehand."""

from collections.abc import Iterator, Mapping
from typing import Any

from kdsearch.core.quantities import UNKNOWN, percent
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.summary import Scalar
from kdsearch.report.tables import Cell, row, table
from kdsearch.report.wording import value_text

COLUMNS = (
    "runtime",
    "threads",
    "batch_size",
    "precision",
    "layout",
    "size",
    "device",
)
PREDICTED = (
    "A predictor of latency, fitted to measured networks, saved the search measurements; the "
    "latencies of the front were measured all the same. No predictor can be better than the "
    "ceiling, which is what a second measurement of the same networks says."
)


def targets(known: Mapping[str, Mapping[str, Scalar]]) -> Markup:
    """One row a latency target; columns that say nothing of any are left out."""
    shown = [n for n in COLUMNS if any(one.get(n) is not None for one in known.values())]
    headers = ["target", *(name.replace("_", " ") for name in shown)]
    rows = [
        row(headers, [Cell(name), *(Cell(value_text(one.get(n))) for n in shown)])
        for name, one in known.items()
    ]
    return table(headers, rows, "plain")


def predictor(known: Mapping[str, Mapping[str, Any]]) -> Markup:
    """The section of a run's page; by target."""
    headers = (
        "target",
        "networks",
        "within 10 %",
        "Kendall's tau",
        "interval holds, 90 % meant",
        "bias on the front",
    )
    rows = [row(headers, list(cells(name, one))) for name, one in known.items()]
    note = element("p", PREDICTED, class_="note")
    return joined([note, table(headers, rows, "plain")])


def cells(name: str, one: Mapping[str, Any]) -> Iterator[Cell]:
    ceiling = one.get("ceiling") or {}
    yield Cell(name)
    yield Cell(value_text(one.get("networks")), number=True)
    within, best = one.get("within_10_percent"), ceiling.get("within_10_percent")
    yield Cell(percent(within, 0), f"ceiling {percent(best, 0)}", number=True)
    yield Cell(number(one.get("tau")), f"ceiling {number(ceiling.get('tau'))}", number=True)
    yield Cell(percent(one.get("coverage"), 0), number=True)
    yield bias(one.get("bias_on_front") or {})


def bias(found: Mapping[str, Any]) -> Cell:
    """How much too slow predictions of the published students were."""
    if found.get("ratio") is None:
        return Cell(UNKNOWN, number=True)
    interval = " to ".join(map(signed, found.get("ci95") or ()))
    return Cell(signed(found["ratio"]), interval, number=True)


def signed(ratio: float) -> str:
    """Of predicted to measured: '+1.2 %' is too slow."""
    return f"{(ratio - 1) * 100:+.1f} %"


def number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"
