"""What the students of several kinds of teachers say: gains, gaps, costs, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Any, NamedTuple

import torch

from kdsearch.core.records import Architecture
from kdsearch.data.records import DataInfo
from kdsearch.measure.gains import Gains, gains
from kdsearch.measure.paired import interval
from kdsearch.measure.size import macs, params
from kdsearch.nets.kinds import family_of
from kdsearch.pipeline.arms import BASELINE, FRIENDLY, SPECIALISED, Arm
from kdsearch.pipeline.comparison import said
from kdsearch.pipeline.context import Context
from kdsearch.search.teachers import Chosen

FACTS = ("search_accuracy", "train_accuracy", "calibration_error", "entropy", "seconds")
"""Of a kind's teachers: told as mean and interval over the seeds."""


class Lesson(NamedTuple):
    """What one student of one seed came to."""

    accuracy: float | None
    """None where its training failed."""
    divergence: float | None
    """KL(teacher ‖ student)."""
    seconds: float


@dataclass
class Term:
    """A kind's students of one seed."""

    lessons: dict[str, Lesson] = field(default_factory=dict)
    """By the student's id."""
    teachers: list[dict[str, Any]] = field(default_factory=list)
    """Facts of the one teacher, or of one for each student."""
    failed: list[str] = field(default_factory=list)

    def accuracy(self, student: str) -> float | None:
        return self.lessons[student].accuracy if student in self.lessons else None

    def fact(self, name: str) -> float | None:
        """Mean over its teachers, if it is known of all."""
        known = [teacher.get(name) for teacher in self.teachers]
        return mean(known) if known and None not in known else None  # type: ignore[type-var]


Records = Mapping[str, list[Term]]
"""By the arm's name, in the order of seeds."""


def student_rows(context: Context, info: DataInfo, chosen: Chosen) -> list[dict[str, Any]]:
    found = []
    held_out = {*chosen.held_out, *map(Architecture.of, context.config.teacher.held_out)}
    for student in chosen.students:
        with torch.device("meta"):
            family = family_of(context.space.family)
            network = family.student(student, info.channels, len(info.classes))
        found.append(
            {
                "id": student.id,
                "architecture": student.as_dict(),
                "held_out": student in held_out,
                "params": params(network),
                "macs": macs(network, (info.channels, info.size, info.size)),
            }
        )
    return found


def rows(
    arms: Sequence[Arm], records: Records, students: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One row a kind, in the order asked."""
    groups = {
        "all": [s["id"] for s in students],
        "drawable": [s["id"] for s in students if not s["held_out"]],
        "held_out": [s["id"] for s in students if s["held_out"]],
    }
    dear = dearest(arms, records)
    found = []
    for arm in arms:
        own = records[arm.name]
        row: dict[str, Any] = {"name": arm.name, "training": arm.training}
        row["accuracies"] = {s: [term.accuracy(s) for term in own] for s in groups["all"]}
        row["mean"] = over_seeds([mean_accuracy(term, groups["all"]) for term in own])
        row["divergence"] = over_seeds([mean_divergence(term) for term in own])
        row["student_seconds"] = over_seeds([mean_seconds(term) for term in own])
        row["teacher"] = teacher_row(own)
        row["gains"] = {
            name: gain(own, records[BASELINE], ids) if arm.name != BASELINE else None
            for name, ids in groups.items()
        }
        specialised = records.get(SPECIALISED)
        row["gap"] = (
            gain(specialised, own, groups["all"])
            if specialised is not None and arm.name != SPECIALISED
            else None
        )
        row["overhead"] = ratios(own, records[BASELINE], less=1.0)
        row["break_even"] = (
            None if dear is None or own is dear or arm.name == BASELINE else ratios(own, dear)
        )
        row["failed"] = [reason for term in own for reason in term.failed]
        found.append(row)
    return found


def dearest(arms: Sequence[Arm], records: Records) -> list[Term] | None:
    """Teachers of which every student needs its own: the specialised ones, else one's."""
    names = [arm.name for arm in reversed(arms) if arm.training == FRIENDLY]
    return records[names[0] if SPECIALISED in records else names[-1]] if names else None


def gain(
    ours: Sequence[Term], theirs: Sequence[Term], ids: Sequence[str]
) -> dict[str, Any] | None:
    """Of the students that came to their end with every seed on both sides; None of none."""
    pairs = {s: ([t.accuracy(s) for t in ours], [t.accuracy(s) for t in theirs]) for s in ids}
    whole = {s: pair for s, pair in pairs.items() if None not in (*pair[0], *pair[1])}
    if not whole:
        return None
    found = gains([a for a, _ in whole.values()], [b for _, b in whole.values()])  # type: ignore[misc]
    return told(found, list(whole), whole)


def told(
    found: Gains, ids: Sequence[str], pairs: Mapping[str, tuple[Sequence[Any], Sequence[Any]]]
) -> dict[str, Any]:
    return {
        **said(found.mean),
        "runs": list(found.runs),
        "students": {
            s: {**said(one), "runs": [a - b for a, b in zip(*pairs[s], strict=True)]}
            for s, one in zip(ids, found.students, strict=True)
        },
        "worst": ids[found.worst],
        "improved": found.improved,
        "detectable": found.detectable,
    }


def over_seeds(values: Sequence[float | None]) -> dict[str, Any]:
    known = [value for value in values if value is not None]
    return {**said(interval(known) if known else None), "runs": list(values), "says": ""}


def mean_accuracy(term: Term, ids: Sequence[str]) -> float | None:
    """None where one of them failed: a mean over others would not compare."""
    known = [term.accuracy(student) for student in ids]
    return None if None in known else mean(known)  # type: ignore[type-var]


def mean_divergence(term: Term) -> float | None:
    known = [one.divergence for one in term.lessons.values() if one.divergence is not None]
    return mean(known) if known else None


def mean_seconds(term: Term) -> float | None:
    return mean(one.seconds for one in term.lessons.values()) if term.lessons else None


def teacher_row(own: Sequence[Term]) -> dict[str, Any] | None:
    """None of students without a teacher."""
    if not any(term.teachers for term in own):
        return None
    facts = {name: over_seeds([term.fact(name) for term in own]) for name in FACTS}
    return {"of_each_seed": max(len(term.teachers) for term in own), **facts}


def ratios(
    ours: Sequence[Term], theirs: Sequence[Term], less: float = 0.0
) -> dict[str, Any] | None:
    """Of a teacher's seconds of training, seed by seed, where both are known."""
    pairs = [(a.fact("seconds"), b.fact("seconds")) for a, b in zip(ours, theirs, strict=True)]
    found = [None if a is None or not b else a / b - less for a, b in pairs]
    return over_seeds(found) if any(one is not None for one in found) else None
