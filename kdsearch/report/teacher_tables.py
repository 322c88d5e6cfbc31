"""The tables of a comparison of teachers, as texts for a page and for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kdsearch.core.quantities import UNKNOWN, count, duration, percent
from kdsearch.report.differences import points
from kdsearch.report.wording import architecture_lines

Content = Mapping[str, Any]
Found = Mapping[str, Any]
"""mean, ci95, says, runs."""
BASELINE = "plain"
NOT_RUN = "not run"
HELD_OUT = "never drawn"
GAINS = (
    "teacher",
    "students, mean",
    "gain",
    "smallest detectable",
    "worst student",
    "improved",
    "specialised less this",
)
TEACHERS = (
    "teacher",
    "accuracy",
    "on training images",
    "calibration error",
    "entropy",
    "KL to students",
    "seconds",
    "overhead",
    "break-even students",
    "seconds a student",
)


class Table(NamedTuple):
    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]


def tables(content: Content) -> list[Table]:
    return [gains(content), groups(content), each(content), teachers(content)]


def gains(content: Content) -> Table:
    """What this is about: the students' gain over those of plain teachers."""
    rows = []
    for kind in content["kinds"]:
        own = kind["gains"]["all"]
        rows.append(
            [
                kind["name"],
                share(kind["mean"]),
                difference(own),
                UNKNOWN if own is None else magnitude(own["detectable"]),
                UNKNOWN if own is None else difference(own["students"][own["worst"]]),
                UNKNOWN if own is None else improved(own),
                gap(kind, content),
            ]
        )
    return Table(f"Gain over the students of {BASELINE} teachers, in points", GAINS, rows)


def gap(kind: Mapping[str, Any], content: Content) -> str:
    is_run = any(other["gap"] is not None for other in content["kinds"])
    return difference(kind["gap"]) if is_run else NOT_RUN


def groups(content: Content) -> Table:
    rows = [
        [
            kind["name"],
            difference(kind["gains"]["drawable"]),
            difference(kind["gains"]["held_out"]),
        ]
        for kind in content["kinds"]
        if kind["name"] != BASELINE
    ]
    held_out = sum(student["held_out"] for student in content["students"])
    headers = (
        "teacher",
        f"gain of {len(content['students']) - held_out} that may be drawn",
        f"gain of {held_out} {HELD_OUT}",
    )
    return Table(
        "Students that teachers may draw while they are trained, or not", headers, rows
    )


def each(content: Content) -> Table:
    """A row for each student."""
    others = [kind for kind in content["kinds"] if kind["name"] != BASELINE]
    (plain,) = [kind for kind in content["kinds"] if kind["name"] == BASELINE]
    rows = []
    for student in content["students"]:
        runs = [run for run in plain["accuracies"][student["id"]] if run is not None]
        own = [
            kind["gains"]["all"] and kind["gains"]["all"]["students"].get(student["id"])
            for kind in others
        ]
        rows.append(
            [
                name_of(student),
                count(student["params"]),
                percent(sum(runs) / len(runs)) if runs else UNKNOWN,
                *map(difference, own),
            ]
        )
    headers = ("student", "parameters", f"with {BASELINE}", *(kind["name"] for kind in others))
    return Table("Gain of each student, in points", headers, rows)


def name_of(student: Mapping[str, Any]) -> str:
    text = "; ".join(architecture_lines(student["architecture"]))
    return f"{text} ({HELD_OUT})" if student["held_out"] else text


def teachers(content: Content) -> Table:
    rows = []
    for kind in content["kinds"]:
        facts = kind["teacher"] or {}
        rows.append(
            [
                kind["name"],
                share(facts.get("search_accuracy")),
                share(facts.get("train_accuracy")),
                number(facts.get("calibration_error")),
                number(facts.get("entropy"), 2),
                number(kind["divergence"]),
                seconds(facts),
                overhead(kind),
                number(kind["break_even"], 2),
                took(kind["student_seconds"]),
            ]
        )
    return Table("The teachers themselves", TEACHERS, rows)


def overhead(kind: Mapping[str, Any]) -> str:
    if kind["name"] == BASELINE:
        return UNKNOWN
    found = kind["overhead"]
    return UNKNOWN if found is None else f"{100 * found['mean']:+.0f} %"


def seconds(facts: Mapping[str, Any]) -> str:
    """Of one seed's teachers."""
    text = took(facts.get("seconds"))
    many = facts.get("of_each_seed", 1)
    return text if many == 1 or text == UNKNOWN else f"{many} × {text}"


def took(found: Found | None) -> str:
    return UNKNOWN if found is None else duration(found["mean"])


def share(found: Found | None) -> str:
    """'62.1 % ± 0.4': mean and half the 95 % interval."""
    if found is None or found["mean"] is None:
        return UNKNOWN
    if found["ci95"] is None:
        return percent(found["mean"])
    return f"{percent(found['mean'])} ± {100 * (found['ci95'][1] - found['mean']):.1f}"


def number(found: Found | None, digits: int = 3) -> str:
    if found is None or found["mean"] is None:
        return UNKNOWN
    return f"{found['mean']:.{digits}f}"


def difference(found: Found | None) -> str:
    """'+0.52 (+0.10 to +0.94) better'."""
    if found is None or found["mean"] is None:
        return UNKNOWN
    if found["ci95"] is None:
        return points(found["mean"], 2)
    low, high = (points(end, 2) for end in found["ci95"])
    return f"{points(found['mean'], 2)} ({low} to {high}) {found['says']}".rstrip()


def magnitude(value: float | None) -> str:
    return UNKNOWN if value is None else f"{100 * value:.2f}"


def improved(found: Mapping[str, Any]) -> str:
    students = len(found["students"])
    return f"{round(found['improved'] * students)} of {students}"


def failures(content: Content) -> list[str]:
    """Which runs did not come to their end, and why."""
    return [
        f"{kind['name']}: {reason}" for kind in content["kinds"] for reason in kind["failed"]
    ]


def lead(content: Content) -> str:
    """What was compared, in two sentences."""
    seeds, students = content["seeds"], content["students"]
    times = "one seed, so no intervals" if seeds == 1 else f"{seeds} seeds"
    held_out = sum(student["held_out"] for student in students)
    return (
        f"{len(content['kinds'])} kinds of teachers, {times}, each taught the same "
        f"{len(students)} students of {content['space']} ({held_out} of them {HELD_OUT} in "
        f"training) {content['data']['name']} by {content['recipe']['method']}, "
        f"{content['plan']['epochs']} epochs. Accuracy on search-validation; differences are "
        "paired by seed, intervals are Student’s 95 %, over seeds."
    )
