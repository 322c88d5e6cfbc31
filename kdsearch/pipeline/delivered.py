"""delivered.json: students that `deliver` trained to the end or in vain; what it handed over.

They stand beside the front and not on it: the front is what one search published together, in
the same rounds of timing, and the next run writes it again without them.
"""

from collections.abc import Mapping
from typing import Any

from kdsearch.files import file_hash, write_json
from kdsearch.rundir import RunDir

SCHEMA = 1


def delivered(run: RunDir) -> list[dict[str, Any]]:
    """Students of the current search, as points of front.json are, whose files are there.

    A student's folder is named after its trial alone: another search in this run, with other
    trials of the same numbers, may have put its own network there since.
    """
    study = run.facts().get("study")
    rows = [row for row in content(run)["students"] if row.get("study") == study]
    return [row for row in rows if is_there(run, row)]


def is_there(run: RunDir, row: Mapping[str, Any]) -> bool:
    """Whether the weights that lie there are still this student's."""
    weights = run.root / row["weights"]
    return weights.is_file() and file_hash(weights) == row.get("weights_hash")


def trained(run: RunDir, front: Mapping[str, Any]) -> dict[str, Any]:
    """The front with the students that `deliver` has trained since."""
    known = {point["id"] for point in front["points"]}
    more = [row for row in delivered(run) if row["id"] not in known]
    return {**front, "points": [*front["points"], *more]}


def keep(run: RunDir, row: Mapping[str, Any]) -> None:
    """Adds a student, in place of what was known of it before."""
    weights = file_hash(run.root / row["weights"])
    own = {**row, "study": run.facts().get("study"), "weights_hash": weights}
    known = content(run)
    students = [r for r in known["students"] if (r["id"], r.get("study")) != same(own)]
    write_json(run.delivered, {**known, "students": [*students, own]})


def give_up(run: RunDir, trial: int) -> None:
    """Notes a trial that cannot be trained to the end, or breaks the run's own budget there."""
    row = {"trial": trial, "study": run.facts().get("study")}
    known = content(run)
    write_json(run.delivered, {**known, "fell_out": [*known.get("fell_out", []), row]})


def fell_out(run: RunDir) -> set[int]:
    """The trials of the current search that `give_up` noted."""
    study = run.facts().get("study")
    rows = content(run).get("fell_out", [])
    return {row["trial"] for row in rows if row["study"] == study}


def note(run: RunDir, delivery: Mapping[str, Any]) -> None:
    """Adds what was handed over, when and where to."""
    known = content(run)
    write_json(run.delivered, {**known, "deliveries": [*known["deliveries"], dict(delivery)]})


def same(row: Mapping[str, Any]) -> tuple[Any, Any]:
    return row["id"], row["study"]


def content(run: RunDir) -> dict[str, Any]:
    if not run.delivered.exists():
        return {"schema": SCHEMA, "students": [], "deliveries": []}
    found: dict[str, Any] = run.read(run.delivered, "students", "deliveries")
    return found
