"""The page of a comparison of teachers: what their students gain, and what the teachers are."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from kdsearch.core.quantities import UNKNOWN
from kdsearch.report import dots
from kdsearch.report.compared import Spread
from kdsearch.report.differences import figure, points, points_axis
from kdsearch.report.document import document, nothing, section
from kdsearch.report.dots import Column, DotPlot
from kdsearch.report.labels import shortened
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.tables import Cell, row, table
from kdsearch.report.teacher_tables import (
    BASELINE,
    HELD_OUT,
    Table,
    each,
    failures,
    gains,
    groups,
    lead,
    name_of,
    teachers,
)

Content = Mapping[str, Any]
ABREAST = 3
"""Frames side by side; more are too narrow."""
LONGEST = 40
"""Letters of a kind's name above a frame."""
GROUPS = {"all": "all students", "drawable": "may be drawn", "held_out": HELD_OUT}
PAIRED = (
    "In percentage points, mean over the students: for every seed one dot, the difference to "
    f"the same students of that seed’s {BASELINE} teacher; intervals are Student’s, over "
    "seeds, as students of one seed share their teacher. The smallest detectable gain is the "
    "one that so many seeds find in four of five cases."
)
WORST = (
    "The worst of many students is low by chance alone; its interval is that of one student. "
    "“Specialised less this”: the gain that a student-friendly teacher of each student’s own "
    "brings over this one. "
)
COSTS = (
    "Overhead: seconds of training over those of a plain teacher. Break-even: from so many "
    "students on, one such teacher takes less time than one student-friendly teacher for each. "
    "KL to students: from the teacher’s probabilities to theirs, in nats, at temperature 1."
)


def page(content: Content, run: str) -> str:
    made = datetime.now().strftime("%Y-%m-%d %H:%M")
    return document(
        run,
        element(
            "header",
            element("p", "kdsearch comparison of teachers", class_="brand"),
            element("h1", run),
            element("p", lead(content), class_="lead"),
        ),
        section("What teachers bring their students", by_kind(content), drawn(gains(content))),
        section("Drawn in training or not", drawn(groups(content))),
        section("Student by student", by_student(content), drawn(each(content))),
        section("The teachers", note(COSTS), drawn(teachers(content))),
        section("Runs that failed", failed(content)),
        element("footer", f"kdsearch {content['kdsearch_version']}, {made}"),
        style=dots.STYLE,
    )


def others(content: Content) -> list[Mapping[str, Any]]:
    return [kind for kind in content["kinds"] if kind["name"] != BASELINE]


def by_kind(content: Content) -> Markup:
    kinds = others(content)
    columns = [
        Column(title, [spread(kind["gains"][group]) for kind in kinds])
        for group, title in GROUPS.items()
        if any(kind["gains"][group] for kind in kinds)
    ]
    plot = DotPlot(
        f"Gain over students of {BASELINE} teachers, by kind of teacher",
        "One row a kind: the mean gain with its 95 % interval, and the single seeds.",
        [kind["name"] for kind in kinds],
        columns,
        points_axis,
        finer,
        has_zero=True,
    )
    return joined([figure(plot, PAIRED), note(WORST)])


def by_student(content: Content) -> Markup:
    kinds = [kind for kind in others(content) if kind["gains"]["all"]]
    parts = [kinds[at : at + ABREAST] for at in range(0, len(kinds), ABREAST)]
    return joined([student_figure(content, part) for part in parts])


def student_figure(content: Content, kinds: Sequence[Mapping[str, Any]]) -> Markup:
    students = content["students"]
    columns = [
        Column(
            shortened(kind["name"], LONGEST),
            [spread(kind["gains"]["all"]["students"].get(s["id"])) for s in students],
        )
        for kind in kinds
    ]
    plot = DotPlot(
        f"Gain over {BASELINE} teachers, by student",
        "One row a student: its mean gain over the seeds with the 95 % interval.",
        [name_of(student) for student in students],
        columns,
        points_axis,
        finer,
        has_zero=True,
    )
    return figure(plot, "In percentage points, each student beside itself, over the seeds.")


def finer(value: float) -> str:
    return points(value, 2)


def spread(found: Mapping[str, Any] | None) -> Spread | None:
    if found is None:
        return None
    ends = found["ci95"]
    ci95 = None if ends is None else (ends[0], ends[1])
    return Spread(found["mean"], ci95, tuple(found["runs"]), found["says"])


def drawn(it: Table) -> Markup:
    """As HTML; an interval stands below its number."""
    rows = [
        row(it.headers, [cell(at, text) for at, text in enumerate(line)]) for line in it.rows
    ]
    return joined([element("h3", it.title), table(it.headers, rows, "students")])


def cell(at: int, text: str) -> Cell:
    if at == 0 or "(" not in text:
        return Cell(text, number=at > 0)
    value, _, rest = text.partition(" (")
    between, _, says = rest.partition(")")
    return Cell(f"{value}{says}", between, number=True)


def failed(content: Content) -> Markup:
    lines = failures(content)
    if not lines:
        return nothing("Every run came to its end.")
    rows = [row(("what",), [Cell(line or UNKNOWN)]) for line in lines]
    return table(("what",), rows, "plain")


def note(text: str) -> Markup:
    return element("p", text, class_="note")
