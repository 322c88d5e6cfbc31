"""Each student's card: all that is known of it, folded until it is asked for."""

from collections.abc import Iterator, Sequence

from kdsearch.core.amounts import amount, title
from kdsearch.core.quantities import UNKNOWN, count, microjoules, milliseconds, percent, several
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.summary import Interval, Latency, Score, StudentRow, Summary
from kdsearch.report.tables import Cell, facts, row, table
from kdsearch.report.wording import knobs_text, value_text


def cards(summary: Summary) -> Markup:
    """One for each student, in the order of the table; a dot of the picture leads to it."""
    drawn = [
        card(student, f"card-{number}", student.id == summary.knee)
        for number, student in enumerate(summary.students, start=1)
    ]
    return element("div", *drawn, class_="cards")


def card(student: StudentRow, name: str, is_knee: bool) -> Markup:
    timed = student.latencies[0] if student.latencies else None
    head = [
        element("b", f"{student.id}{' · knee' * is_knee}"),
        element("span", percent(student.search_accuracy)),
        element("span", milliseconds(timed.p50_ms if timed else None)),
        element("span", f"{count(student.params)} parameters"),
        element("span", student.method),
    ]
    return element(
        "details",
        element("summary", *head),
        element("div", *body(student), class_="card-body"),
        class_="card",
        id=name,
    )


def body(student: StudentRow) -> Iterator[Markup]:
    yield facts(dict(about(student)))
    yield scores(student)
    if student.latencies:
        yield latencies(student.latencies)
    if student.architecture:
        yield element("h4", "Architecture")
        yield facts({name: value_text(v) for name, v in student.architecture.items()})
    for quantity, others in student.alike.items():
        line = f"{title(quantity)} not told apart from that of {', '.join(others)}."
        yield element("p", f"{line[:1].upper()}{line[1:]}", class_="note")


def about(student: StudentRow) -> Iterator[tuple[str, str]]:
    yield "recipe", f"{student.method} {knobs_text(student.knobs)}".strip()
    yield "parameters", count(student.params)
    yield "MACs an image", count(student.macs)
    if student.energy_uj is not None:
        yield "energy an image, estimated", microjoules(student.energy_uj)
    if student.trial is not None:
        rung = "" if student.rung is None else f", rung {student.rung}"
        yield "trial", f"{student.trial}{rung}"
    if student.seeds is not None:
        yield "trained", several(student.seeds, "time")


def scores(student: StudentRow) -> Markup:
    accuracy = Score("accuracy", student.search_accuracy, student.search_ci95)
    known = student.scores or (accuracy,)
    headers = ("score", "search-validation", "95 % interval", "test")
    rows = [
        row(
            headers,
            [
                Cell(title(one.name)),
                Cell(amount(one.name, one.value), number=True),
                Cell(ends(one.name, one.ci95), number=True),
                Cell(tested(student, one), number=True),
            ],
        )
        for one in known
    ]
    return joined([element("h4", "Scores"), table(headers, rows, "plain")])


def tested(student: StudentRow, one: Score) -> str:
    if one.name != "accuracy":
        return amount(one.name, one.test)
    between = f" ({ends(one.name, student.test_ci95)})" if student.test_ci95 else ""
    return f"{percent(student.test_accuracy)}{between}"


def latencies(timed: Sequence[Latency]) -> Markup:
    """Every target's, each with the interval that is known."""
    predicted = any(one.predicted_ms is not None for one in timed)
    headers = ["target", "p50", "p95", "p99", *["predicted p50, 90 % interval"] * predicted]
    rows = []
    for one in timed:
        cells = [
            Cell(f"{one.target}{' (predicted)' * one.is_predicted}", busy(one)),
            Cell(milliseconds(one.p50_ms), between(one.ci95_ms), number=True),
            Cell(milliseconds(one.p95_ms), between(one.p95_ci95_ms), number=True),
            Cell(milliseconds(one.p99_ms), between(one.p99_ci95_ms), number=True),
        ]
        if predicted:
            told = between(one.predicted_90_ms)
            cells.append(Cell(milliseconds(one.predicted_ms), told, number=True))
        rows.append(row(headers, cells))
    return joined([element("h4", "Latency"), table(headers, rows, "plain")])


def busy(one: Latency) -> str:
    return "" if one.load is None else f"others kept {one.load:.1f} cores busy"


def between(interval: Interval | None) -> str:
    return ends("latency_ms", interval) if interval else ""


def ends(name: str, interval: Interval | None) -> str:
    if interval is None:
        return UNKNOWN
    low, high = (amount(name, end) for end in interval)
    return f"{low} to {high}"
