"""ledger.json: seconds by stage over all sittings, and device-seconds by rung of the search.

{"stages": {"teacher": 12.5, …}, "rungs": {"1": {"jobs": 14, "device_seconds": 80.1}, …}}
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

from kdsearch.errors import RunError
from kdsearch.files import read_json, write_json
from kdsearch.search.leavings import read_result


def spent(ledger: Path) -> dict[str, float]:
    """Wall-clock seconds by stage, over all the times the run was worked on."""
    known: dict[str, float] = content(ledger)["stages"]
    return known


def spend(ledger: Path, stage: str, seconds: float) -> None:
    """Adds to a stage's seconds."""
    known = content(ledger)
    total = round(known["stages"].get(stage, 0.0) + seconds, 3)
    write_json(ledger, {**known, "stages": {**known["stages"], stage: total}})


def note_rungs(ledger: Path, trials: Path) -> None:
    """Writes what the jobs of a study took, rung by rung."""
    known = content(ledger)
    rungs = {str(rung): row for rung, row in sorted(by_rung(trials).items())}
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
    known: dict[str, Any] = read_json(ledger) if ledger.exists() else {"stages": {}}
    return known
