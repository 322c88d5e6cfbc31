"""Students timed together on every target of a run, as front.json and cards say it."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from kdsearch.core.records import Architecture
from kdsearch.measure.book import of_latency
from kdsearch.measure.books import Books
from kdsearch.measure.fingerprint import latency_facts
from kdsearch.measure.latency import Latency, Target

OnTargets: TypeAlias = Mapping[str, Latency]
"""One student's latencies, by target's name."""


def timed_together(
    books: Books, students: Mapping[str, Architecture]
) -> dict[str, dict[str, Latency]]:
    """By student a fresh measurement on each target; all students in the same rounds."""
    measured = books.measured(list(students.values()))
    return {
        name: {target: found[student.id] for target, found in measured.items()}
        for name, student in students.items()
    }


def costs_of(books: Books, student: Architecture, timed: OnTargets) -> dict[str, float]:
    """All that is counted of a student, and its latencies under the names of costs."""
    costs = dict(books.first.size(student))
    for target, called, _ in books.called():
        costs |= of_latency(timed[target], called)
    return costs


def facts_of(books: Books, timed: OnTargets) -> dict[str, Any]:
    """`latency` of a point of front.json; the first target's first."""
    facts: dict[str, Any] = {}
    for name, book in books.by_target.items():
        facts |= latency_facts(book.target, timed[name], book.device)
    return facts


def targets_told(books: Books) -> dict[str, dict[str, Any]]:
    """`targets` of front.json."""
    return {
        name: target_told(book.target, book.device) for name, book in books.by_target.items()
    }


def target_told(target: Target, device: Mapping[str, Any]) -> dict[str, Any]:
    """What it is, and the machine it was measured on."""
    return {
        "runtime": target.runtime,
        "threads": target.threads,
        "batch_size": target.batch_size,
        "precision": target.precision,
        "layout": target.layout,
        "size": target.size,
        "device": device["device"],
    }
