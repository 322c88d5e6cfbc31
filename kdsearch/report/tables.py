"""The tables of the page, as HTML that turns into cards on a narrow screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kdsearch.core.amounts import amount, title
from kdsearch.core.quantities import UNKNOWN, count, duration, milliseconds, percent
from kdsearch.report.axes import drawable
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.summary import (
    Interval,
    Latency,
    StageTime,
    StudentRow,
    Summary,
    TeacherRow,
)
from kdsearch.report.wording import SEPARATOR, architecture_lines, interval_text, knobs_text


@dataclass(frozen=True, slots=True)
class Cell:
    main: str
    below: str = ""
    """Smaller, under the main text."""
    number: bool = False


def table(headers: Sequence[str], rows: Sequence[Markup], class_: str) -> Markup:
    """`rows` come from `row`; wide tables scroll within their own frame.

    What follows a comma in a header is written smaller, under it.
    """
    columns = []
    for header in headers:
        name, _, detail = header.partition(", ")
        below = element("small", detail) if detail else Markup("")
        columns.append(element("th", name, below, scope="col"))
    head = element("tr", *columns)
    whole = element("table", element("thead", head), element("tbody", *rows), class_=class_)
    return element("div", whole, class_="scroll")


def row(headers: Sequence[str], cells: Sequence[Cell], **attributes: str | None) -> Markup:
    """One row; on a narrow screen each cell shows its header beside it."""
    written = []
    for rank, (header, cell) in enumerate(zip(headers, cells, strict=True)):
        below = element("small", cell.below) if cell.below else Markup("")
        content = element("span", cell.main, below)
        class_ = "number" if cell.number else None
        if rank == 0:
            written.append(element("th", content, scope="row", class_=class_))
        else:
            written.append(element("td", content, data_label=header, class_=class_))
    return element("tr", *written, **attributes)


def students(summary: Summary) -> Markup:
    """One row per student, the teacher last; a row is the target of its dot in the chart."""
    targets = _targets(summary)
    headers = ["student", "search accuracy", "test accuracy", "parameters", "MACs"]
    headers += [f"latency p50, {target}" for target in targets]
    more = list(dict.fromkeys(name for one in summary.students for name in one.more))
    headers += [title(name) for name in more]
    headers += ["recipe", "architecture"]
    rows = []
    for number, student in enumerate(summary.students, start=1):
        knee = student.id == summary.knee
        cells = [
            _name(student, f"#card-{number}", knee),
            *_student_cells(student, targets, more),
        ]
        class_ = "knee" if knee else None
        rows.append(row(headers, cells, id=f"student-{number}", class_=class_))
    if summary.teacher:
        cells = _teacher_cells(summary.teacher, targets, len(more))
        rows.append(row(headers, cells, class_="teacher"))
    return table(headers, rows, "students")


def _targets(summary: Summary) -> list[str]:
    rows: list[StudentRow | TeacherRow] = [*summary.students]
    rows += [summary.teacher] if summary.teacher else []
    return list(dict.fromkeys(latency.target for one in rows for latency in one.latencies))


def _name(student: StudentRow, card: str, knee: bool) -> Cell:
    """Leads to the student's card."""
    notes = ["knee"] if knee else []
    notes += [] if student.trial is None else [f"trial {student.trial}"]
    return Cell(element("a", student.id, href=card), SEPARATOR.join(notes))


def _student_cells(
    student: StudentRow, targets: Sequence[str], more: Sequence[str]
) -> list[Cell]:
    return [
        *_size_cells(student, targets),
        *(Cell(amount(name, student.more.get(name)), number=True) for name in more),
        Cell(student.method or UNKNOWN, knobs_text(student.knobs)),
        Cell(_lines(architecture_lines(student.architecture)) or UNKNOWN),
    ]


def _lines(lines: Sequence[str]) -> Markup:
    return joined(element("span", line, class_="line") for line in lines)


def _teacher_cells(teacher: TeacherRow, targets: Sequence[str], more: int) -> list[Cell]:
    """`more`: how many further objectives there are, which nobody asks of a teacher."""
    known = [Cell("teacher", teacher.name), *_size_cells(teacher, targets)]
    return [*known, *[Cell(UNKNOWN, number=True)] * more, Cell(""), Cell("")]


def _size_cells(one: StudentRow | TeacherRow, targets: Sequence[str]) -> list[Cell]:
    measured = {latency.target: latency for latency in one.latencies}
    return [
        _accuracy(one.search_accuracy, one.search_ci95),
        _accuracy(one.test_accuracy, one.test_ci95),
        Cell(count(one.params), number=True),
        Cell(count(one.macs), number=True),
        *(_latency(measured.get(target)) for target in targets),
    ]


def _accuracy(accuracy: float | None, interval: Interval | None) -> Cell:
    return Cell(percent(accuracy), interval_text(interval), number=True)


def _latency(latency: Latency | None) -> Cell:
    if latency is None:
        return Cell(UNKNOWN, number=True)
    slow = f"p95 {milliseconds(latency.p95_ms)}" if drawable(latency.p95_ms) else ""
    return Cell(milliseconds(latency.p50_ms), slow, number=True)


def bars(items: Sequence[tuple[str, float, str]]) -> Markup:
    """(name, length, text) as horizontal bars on one scale."""
    longest = max((length for _, length, _ in items), default=0.0) or 1.0
    rows = []
    for name, length, written in items:
        share = f"{max(0.0, length) / longest * 100:.2f}%"
        drawn = element(
            "svg",
            element("rect", width="100%", height=10, rx=2, class_="track"),
            element("rect", width=share, height=10, rx=2, class_="length"),
            width="100%",
            height=10,
            aria_hidden="true",
        )
        rows.append(
            element(
                "tr",
                element("th", name, scope="row"),
                element("td", drawn, class_="drawn"),
                element("td", written, class_="number"),
            )
        )
    return element("table", element("tbody", *rows), class_="bars")


def stages(times: Sequence[StageTime]) -> Markup:
    items = []
    for stage in times:
        seconds = stage.seconds if drawable(stage.seconds) else 0.0
        written = duration(stage.seconds) + (", from the store" if stage.reused else "")
        items.append((stage.name, 0.0 if stage.reused else seconds, written))
    return bars(items)


def facts(items: Mapping[str, str]) -> Markup:
    """Names and values side by side; empty values are left out."""
    pairs = [
        element("div", element("dt", name), element("dd", value))
        for name, value in items.items()
        if value
    ]
    return element("dl", joined(pairs), class_="facts")
