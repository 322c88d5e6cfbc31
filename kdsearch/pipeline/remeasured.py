"""Published students that were measured on a device of their own, put into their front."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kdsearch.core.quantities import several
from kdsearch.core.records import Architecture
from kdsearch.errors import PredictorError
from kdsearch.files import write_json
from kdsearch.measure.book import of_latency
from kdsearch.measure.fingerprint import latency_facts
from kdsearch.measure.latency import Latency
from kdsearch.measure.profile import Profile
from kdsearch.rundir import CARD, RunDir


def published(folder: Path) -> list[Architecture]:
    """The architectures of a run's front; raises RunError where there is none."""
    run = RunDir(folder)
    points = run.read(run.front, "points")["points"]
    return [Architecture.of(point["architecture"]) for point in points]


def remeasured(folder: Path, profile: Profile) -> str:
    """Writes the latencies of a front's students on a target into front.json and their cards.

    Raises:
        PredictorError: none of them was measured.
    """
    run = RunDir(folder)
    content = run.read(run.front, "points")
    measured, name = profile.measured, profile.target.name
    found = 0
    for point in content["points"]:
        timed = measured.get(Architecture.of(point["architecture"]).id)
        if timed is not None:
            found += 1
            put(point, profile, timed)
            card = run.student(point["id"]) / CARD
            if card.exists():
                known = run.read(card, "spec")
                write_json(
                    card, {**known, "latency": point["latency"], "costs": point["costs"]}
                )
    if not found:
        raise PredictorError(f"{folder}: none of its students was measured on {name}")
    content.setdefault("targets", {})[name] = told(profile)
    write_json(run.front, content)
    students = several(found, "student")
    return f"{folder}: {students} of {len(content['points'])} measured on {name}"


def put(point: dict[str, Any], profile: Profile, timed: Latency) -> None:
    """A measurement in the place of a prediction, or beside other targets."""
    name = profile.target.name
    is_first = next(iter(point["latency"]), name) == name
    point["latency"] |= latency_facts(profile.target, timed, profile.device)
    point["costs"] |= of_latency(timed, "" if is_first else name)


def told(profile: Profile) -> Mapping[str, Any]:
    """`targets` of front.json."""
    it = profile.target
    return {
        "runtime": it.runtime,
        "threads": it.threads,
        "batch_size": it.batch_size,
        "precision": it.precision,
        "layout": it.layout,
        "size": it.size,
        "device": profile.device["device"],
    }
