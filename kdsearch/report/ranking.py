"""What an audit says of the ranking by inherited weights: a sentence, a table, a chart."""

from collections.abc import Mapping
from typing import Any

from kdsearch.core.quantities import UNKNOWN
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.tables import Cell, row, table

HEADERS = ("ranks students by", "Kendall's tau-b", "95 % interval")
ROWS: Mapping[str, str] = {
    "tau": "inherited accuracy",
    "within": "inherited accuracy, among students of about equal MACs",
    "macs": "multiply-accumulates",
    "params": "parameters",
    "ceiling": "another standalone training: the ceiling",
    "above_macs": "inherited accuracy less multiply-accumulates",
}
"""Figures of an audit, in the order a reader asks for them."""
ABSENT = (
    "Not audited: how far inherited weights rank students as training each alone would is not "
    "known. `kdsearch audit RUN` trains some alone and says."
)


def verdict(audit: Mapping[str, Any]) -> str:
    """What the figures mean for trusting the ranking, in plain words."""
    tau, ceiling, above = audit["tau"], audit["ceiling"], audit["above_macs"]
    if tau["value"] is None or above["value"] is None:
        return "All students score alike, so there is no ranking to trust or to doubt."
    pairs = f"{50 * (1 + tau['value']):.0f} of 100 pairs"
    words = [f"Inherited weights put {pairs} of students in the order of standalone training"]
    if ceiling["value"] is not None and ceiling["value"] > 0:
        agreed = f"{50 * (1 + ceiling['value']):.0f}"
        words.append(f", where two standalone trainings agree on {agreed}")
    low, high = above["ci95"]
    if tau["ci95"][0] <= 0:
        means = "that is not shown to be better than chance: do not screen by them"
    elif low > 0:
        means = "they tell more than size alone does: screening by them is worth its cost"
    elif high < 0:
        means = "counting multiply-accumulates ranks better: do not screen by them"
    else:
        means = (
            "they are not shown to tell more than size alone: trust them to drop the worst "
            "students, not to pick the best"
        )
    return f"{''.join(words)}; {means}."


def figures(audit: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(what ranks, Kendall's tau-b, its 95 % interval) of each row."""
    found = []
    for name, words in ROWS.items():
        value, ci95 = audit[name]["value"], audit[name]["ci95"]
        shown = UNKNOWN if value is None else f"{value:.2f}"
        interval = UNKNOWN if ci95 is None else f"{ci95[0]:.2f} to {ci95[1]:.2f}"
        found.append((words, shown, interval))
    return found


def ranking(audit: Mapping[str, Any] | None) -> Markup:
    """The section of a run's page."""
    if audit is None:
        return element("p", ABSENT, class_="none")
    lead = (
        f"{audit['students']} students drawn from the space, each trained alone "
        f"{audit['seeds']} times ({audit['method']}); how the order by each of these scores "
        f"agrees with theirs. Equal MACs: {audit['bins']} bins."
    )
    rows = [
        row(HEADERS, [Cell(words), Cell(tau, number=True), Cell(ci95, number=True)])
        for words, tau, ci95 in figures(audit)
    ]
    told = element("p", audit["verdict"])
    return joined([told, table(HEADERS, rows, "plain"), element("p", lead, class_="note")])
