"""A target added to, changed in or taken out of a finished run: its students timed anew.

What is published stays published: nothing is trained, nothing is scored, and the test split
stays closed. Latencies on targets that are as they were stay what they were; on those that are
new the students are timed together. So are all that were scored with inherited weights: what
else the supernet has to offer there is known then, too.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kdsearch.core.costs_named import is_timed
from kdsearch.core.quantities import several
from kdsearch.core.records import Architecture
from kdsearch.files import write_json
from kdsearch.measure.books import Books
from kdsearch.measure.fingerprint import latency_facts
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.front import timed_costs
from kdsearch.pipeline.jobs import Ground
from kdsearch.pipeline.predicted_front import with_predictions
from kdsearch.pipeline.timed import targets_told
from kdsearch.rundir import CARD, RunDir, mapping
from kdsearch.search.trial import Trial

SAME = ("device", "runtime", "threads", "batch_size", "precision", "layout", "size")
"""What two latencies are comparable by."""
Front = dict[str, Any]
"""Content of front.json."""


def marks(books: Books) -> dict[str, str]:
    """By target's name what its latencies hold for; see `open_books`."""
    return {name: book.folder.name for name, book in books.by_target.items()}


def renewed(
    context: Context, ground: Ground, known: Front, trials: Sequence[Trial]
) -> tuple[Front, bool]:
    """The published front on the targets that the config has by now, and whether it is new."""
    books, points = ground.books, known["points"]
    now, before = marks(books), published_on(context.run, books, points)
    if list(now.items()) == list(before.items()):
        return known, False
    earlier = {mark: name for name, mark in before.items()}
    fresh = Books({n: b for n, b in books.by_target.items() if now[n] not in earlier})
    with context.timed("finalists"):
        timed = timed_on(fresh, points)
        elsewhere = brought(known, {*before, *now})
        for point in points:
            held = point["latency"]
            point["latency"] = {
                name: measured_rather(timed[name][point["id"]], held.get(name))
                if name in fresh.by_target
                else held[earlier[mark]]
                for name, mark in now.items()
            } | {name: held[name] for name in elsewhere if name in held}
            counted = {n: v for n, v in point["costs"].items() if not is_timed(n)}
            point["costs"] = {**counted, **timed_costs(point["latency"])}
        inherited_too(fresh, trials)
    content = {
        **known,
        "space": {**known["space"], **{end: dict(costs) for end, costs in ground.ends.items()}},
        "targets": targets_told(books) | elsewhere,
        "points": points,
    }
    for point in points:
        card = context.run.student(point["id"]) / CARD
        write_json(card, {**mapping(card), **point_in_card(point)})
    context.progress.say(told(list(fresh.by_target), before, now, len(points)))
    return with_predictions(content, books, context.space.space), True


def published_on(
    run: RunDir, books: Books, points: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """The targets of the front that is there; of an older version's, which notes none, the
    one that is there is the first, as the search is the same.
    """
    noted: dict[str, str] | None = run.facts().get("front_targets")
    if noted is not None:
        return noted
    return dict.fromkeys(list(points[0]["latency"])[:1], books.first.folder.name)


def brought(known: Front, configured: Collection[str]) -> dict[str, Any]:
    """`targets` that no config ever had: the students were measured there by hand."""
    told = known.get("targets", {})
    return {name: it for name, it in told.items() if name not in configured}


def measured_rather(timed: dict[str, Any], held: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a device's profile says of a student; of one that was measured on that device by
    hand, what was measured.
    """
    is_better = timed.get("predicted") and held is not None and not held.get("predicted")
    if held is None or not is_better or any(held.get(n) != timed[n] for n in SAME):
        return timed
    return dict(held)


def timed_on(fresh: Books, points: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By target and student's id what a point holds of a fresh measurement together."""
    students = {p["id"]: Architecture.of(p["architecture"]) for p in points}
    measured = fresh.measured(list(students.values()))
    return {
        name: {
            student: latency_facts(book.target, measured[name][a.id], book.device)[name]
            for student, a in students.items()
        }
        for name, book in fresh.by_target.items()
    }


def inherited_too(fresh: Books, trials: Sequence[Trial]) -> None:
    """Has those timed, too, that the search scored with inherited weights."""
    scored = [t.candidate.architecture for t in trials if 0 in t.scores]
    for book in fresh.by_target.values():
        if scored:
            book.latencies(scored)


def point_in_card(point: Mapping[str, Any]) -> dict[str, Any]:
    return {name: point[name] for name in ("latency", "costs")}


def told(
    fresh: Sequence[str], before: Mapping[str, str], now: Mapping[str, str], students: int
) -> str:
    gone = [name for name, mark in before.items() if mark not in now.values()]
    words = [
        f"{several(students, 'student')} timed on {', '.join(fresh)}" if fresh else "",
        f"{', '.join(gone)} left out" if gone else "",
    ]
    done = "; ".join(word for word in words if word) or "names and order as the config has them"
    return f"targets: {done}; nothing was trained"
