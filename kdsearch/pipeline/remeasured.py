"""Published students that were measured on a device of their own, put into their front."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kdsearch.core.costs_named import QUANTILES, on_target
from kdsearch.core.quantities import several
from kdsearch.core.records import Architecture
from kdsearch.errors import PredictorError
from kdsearch.files import ENTRY, read_json, write_json
from kdsearch.measure.book import of_latency
from kdsearch.measure.fingerprint import latency_facts
from kdsearch.measure.latency import Latency
from kdsearch.measure.profile import Profile
from kdsearch.pipeline.timed import target_told
from kdsearch.rundir import CARD, LATENCIES, RunDir


def published(folder: Path) -> list[Architecture]:
    """The architectures of a run's front; raises RunError where there is none."""
    run = RunDir(folder)
    points = run.read(run.front, "points")["points"]
    return [architecture(point) for point in points]


def remeasured(folder: Path, profile: Profile) -> str:
    """Writes the latencies of a front's students on a target into front.json and their cards.

    Raises:
        PredictorError: none of them was measured, or the target is one of another device.
        RunError: there is no front, or another process is at work on the run.
    """
    run = RunDir(folder)
    run.check_there()
    with run.writing():
        content = run.read(run.front, "points")
        points, name = content["points"], profile.target.name
        check_device(points, profile)
        students = [p for p in points if architecture(p).id in profile.measured]
        if not students:
            raise PredictorError(f"{folder}: none of its students was measured on {name}")
        called = "" if next(iter(points[0]["latency"])) == name else name
        for point in students:
            put(point, profile, profile.measured[architecture(point).id], called)
            put_in_card(run, point)
        put_in_book(run, profile, called, [architecture(p).id for p in students])
        content.setdefault("targets", {})[name] = target_told(profile.target, profile.device)
        points.sort(key=lambda point: point["costs"]["latency_ms"])
        if is_objective(content, called):
            content["hypervolume"] = None  # its reference point holds for what was there before
        write_json(run.front, content)
    return f"{folder}: {several(len(students), 'student')} of {len(points)} measured on {name}"


def architecture(point: dict[str, Any]) -> Architecture:
    return Architecture.of(point["architecture"])


def check_device(points: list[dict[str, Any]], profile: Profile) -> None:
    """Raises PredictorError where the name is that of a target measured on another device."""
    name, device = profile.target.name, profile.device["device"]
    for point in points:
        held = point["latency"].get(name, {})
        if held and not held.get("predicted") and held["device"] != device:
            raise PredictorError(
                f"--name {name}: its students were measured on {held['device']}, and these "
                f"latencies are {device}'s; give another name"
            )


def put(point: dict[str, Any], profile: Profile, timed: Latency, called: str) -> None:
    """A measurement in the place of a prediction, or beside other targets."""
    point["latency"] |= latency_facts(profile.target, timed, profile.device)
    point["costs"] |= of_latency(timed, called)


def put_in_card(run: RunDir, point: dict[str, Any]) -> None:
    card = run.student(point["id"]) / CARD
    if card.exists():
        known = run.read(card, "spec")
        write_json(card, {**known, "latency": point["latency"], "costs": point["costs"]})


def put_in_book(run: RunDir, profile: Profile, called: str, students: Iterable[str]) -> None:
    """Where the run has the target from a profile of the device: in the place of predictions,
    so that a front that is published anew has them.
    """
    folder = run.root / (f"{LATENCIES}/{called}" if called else "latency")
    key = read_json(folder / ENTRY) if (folder / ENTRY).exists() else {}
    ours = (profile.device["device"], {**asdict(profile.target), "name": ""})
    if "measured" in key and (key["device"]["device"], key["target"]) == ours:
        for student in students:
            write_json(folder / f"{student}.json", asdict(profile.measured[student]))


def is_objective(content: dict[str, Any], called: str) -> bool:
    """Whether the front was chosen by latencies on the target."""
    costs = {on_target(cost, called) for cost in QUANTILES.values()}
    return not costs.isdisjoint(content.get("objectives", ()))
