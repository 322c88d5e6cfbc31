"""ledger.json: seconds by stage over all sittings, and device-seconds by rung of the search.

{"stages": {"teacher": 12.5, …}, "studies": {"1f2e…": {"seconds": 80.2, "until": 1790000000.0}},
"rungs": {"1": {"jobs": 14, "device_seconds": 80.1}, …}}
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

from kdsearch.errors import RunError, UserError
from kdsearch.files import write_json
from kdsearch.rundir import mapping
from kdsearch.search.leavings import read_result

STAGE = "search"
EVERY = 5.0
"""Seconds between two notes of what a search took: as much is not counted of one that was
killed."""
LOCK = Lock()


class Sitting(NamedTuple):
    """How long a study was worked on."""

    seconds: float = 0.0
    """On the clock, over all sittings."""
    until: float = 0.0
    """When that was noted last, in seconds since the epoch."""


def spent(ledger: Path) -> dict[str, float]:
    """Wall-clock seconds by stage, over all the times the run was worked on."""
    known: dict[str, float] = content(ledger)["stages"]
    return known


def spend(ledger: Path, stage: str, seconds: float, study: str = "") -> None:
    """Adds to a stage's seconds, and to those of the study that is searched, if any."""
    with LOCK:
        known = content(ledger)
        total = round(known["stages"].get(stage, 0.0) + seconds, 3)
        changed = {**known, "stages": {**known["stages"], stage: total}}
        if study:
            so_far = sitting(ledger, study).seconds
            row = Sitting(round(so_far + seconds, 3), time.time())
            changed["studies"] = {**known.get("studies", {}), study: row._asdict()}
        write_json(ledger, changed)


def sitting(ledger: Path, study: str) -> Sitting:
    return Sitting(**content(ledger).get("studies", {}).get(study, {}))


@contextmanager
def searching(ledger: Path, study: str) -> Iterator[None]:
    """Counts the block's seconds as those of a search, while it lasts: a kill saves none."""
    over, since = Event(), time.monotonic()

    def count() -> None:
        nonlocal since
        now = time.monotonic()
        spend(ledger, STAGE, now - since, study)
        since = now

    def go_on() -> None:
        while not over.wait(EVERY):
            with suppress(OSError, UserError):  # a full disk is told by who needs it
                count()

    count()
    beside = Thread(target=go_on, name="ledger", daemon=True)
    beside.start()
    try:
        yield
    finally:
        over.set()
        beside.join()
        count()


def note_rungs(ledger: Path, trials: Path) -> None:
    """Writes what the jobs of a study took, rung by rung."""
    rungs = {str(rung): row for rung, row in sorted(by_rung(trials).items())}
    with LOCK:
        known = content(ledger)
        if known.get("rungs") != rungs:
            write_json(ledger, {**known, "rungs": rungs})


def by_rung(trials: Path) -> dict[int, dict[str, float]]:
    """Jobs and device-seconds of a study's results, from the files that the workers left.

    Rung 0 is not among them: it belongs to architectures, and is shared by runs. Nor are
    those whose file was damaged since: what they took is not known.
    """
    found: dict[int, dict[str, float]] = {}
    for path in sorted(trials.glob("**/rung*.json")):
        with suppress(RunError):
            result = read_result(path)
            row = found.setdefault(result.rung, {"jobs": 0, "device_seconds": 0.0})
            row["jobs"] += 1
            row["device_seconds"] = round(row["device_seconds"] + result.seconds, 3)
    return found


def content(ledger: Path) -> dict[str, Any]:
    return mapping(ledger, "stages") if ledger.exists() else {"stages": {}}
