"""What was searched, and what became of it."""

from collections import Counter
from collections.abc import Sequence

from kdsearch.core.quantities import count, duration
from kdsearch.report.axes import drawable
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.summary import MethodRow, SearchSummary, Summary, TrialDot, TrialState
from kdsearch.report.tables import Cell, bars, facts, row, table
from kdsearch.report.wording import SEPARATOR, value_text

STATES: tuple[tuple[TrialState, str], ...] = (
    ("trained", "trained to the top rung"),
    ("screened", "screened with inherited weights"),
    ("stopped", "stopped early"),
    ("running", "running"),
    ("failed", "failed"),
)
MOST_REASONS = 20


def what_was_searched(search: SearchSummary) -> Markup:
    rungs = ", ".join(f"{share * 100:g} %" for share in search.rungs if drawable(share))
    start = "inherited weights, then " if search.inherits else ""
    listed = facts(
        {
            "space": search.space + (f", {search.count:,} students" if search.count else ""),
            "objectives": SEPARATOR.join(search.objectives),
            "trials asked for": f"{search.trials:,}",
            "ended by": search.ended_by,
            "rungs": f"{start}{rungs} of full distillation" if rungs else "",
            "sampler": search.sampler,
            "engine": search.engine,
            "hypervolume": value_text(search.hypervolume)
            if drawable(search.hypervolume)
            else "",
        }
    )
    return joined([listed, _methods(search.methods), _choices(search)])


def rungs_climbed(search: SearchSummary | None) -> Markup:
    """How many trials came to each rung, what that took, and how far rungs agree."""
    if search is None or not search.climbed:
        return Markup("")
    headers = ("rung", "trials", "device time", "beside the next rung")
    rows = [
        row(
            headers,
            [
                Cell(str(one.rung), _trained_for(one.rung, search)),
                Cell(f"{one.trials:,}", number=True),
                Cell(duration(one.device_seconds), number=True),
                Cell(one.agreement, "" if one.tau is None else f"Kendall's tau {one.tau:.2f}"),
            ],
        )
        for one in search.climbed
    ]
    return joined([element("h3", "How far trials came"), table(headers, rows, "plain")])


def _trained_for(rung: int, search: SearchSummary) -> str:
    if rung == 0:
        return "inherited weights"
    shares = search.rungs[rung - 1 : rung]
    return "".join(f"{share * 100:g} % of full distillation" for share in shares)


def _methods(methods: Sequence[MethodRow]) -> Markup:
    if not methods:
        return Markup("")
    headers = ("method", "knob", "range")
    rows = []
    for method in methods:
        knobs = list(method.knobs.items()) or [("none", "")]
        for rank, (knob, values) in enumerate(knobs):
            name = method.name if rank == 0 else ""
            rows.append(row(headers, [Cell(name), Cell(knob), Cell(values)]))
    return joined([element("h3", "Methods and their knobs"), table(headers, rows, "plain")])


def _choices(search: SearchSummary) -> Markup:
    if not search.choices:
        return Markup("")
    headers = ("choice", "values")
    rows = [row(headers, [Cell(axis), Cell(values)]) for axis, values in search.choices.items()]
    return joined([element("h3", "Choices of the space"), table(headers, rows, "plain")])


def what_became_of_it(summary: Summary) -> Markup:
    """Trials by state, and the reasons of those that stopped or failed."""
    if not summary.trials:
        return element("p", "No trial has been made yet.", class_="none")
    states = Counter(trial.state for trial in summary.trials)
    counted = [(name, float(states[state]), count(states[state])) for state, name in STATES]
    parts = [bars([item for item in counted if item[1]])]
    return joined([*parts, _reasons(summary.trials)])


def _reasons(trials: Sequence[TrialDot]) -> Markup:
    """Reasons by how often they occur, failures first; the rarest are summed up."""
    groups: dict[tuple[str, str], list[str]] = {}
    for trial in trials:
        if trial.reason or trial.state == "failed":
            reason = trial.reason or "no reason recorded"
            groups.setdefault((trial.state, reason), []).append(trial.name)
    if not groups:
        return Markup("")
    order = sorted(groups.items(), key=lambda item: (item[0][0] != "failed", -len(item[1])))
    headers = ("reason", "state", "trials")
    rows = [
        row(headers, [Cell(reason), Cell(state), Cell(_named(names))])
        for (state, reason), names in order[:MOST_REASONS]
    ]
    left = sum(len(names) for _, names in order[MOST_REASONS:])
    more = element("p", f"{left:,} more with rarer reasons.") if left else Markup("")
    return joined([element("h3", "Why trials ended"), table(headers, rows, "plain"), more])


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"
