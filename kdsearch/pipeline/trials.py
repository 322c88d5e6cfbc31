"""Verb `trials`: every trial of the current search, one row each."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kdsearch.core.quantities import percent
from kdsearch.errors import RunError
from kdsearch.files import damaged
from kdsearch.pipeline.table import table
from kdsearch.rundir import RunDir
from kdsearch.search.study.journal import read_trials
from kdsearch.search.trial import Trial


def trials(run: RunDir) -> list[Trial]:
    """In the order they were proposed.

    Raises:
        RunError: there is no run here, or its search has not begun.
    """
    facts = run.read(run.state)
    if "study" not in facts:
        raise RunError(
            f"{run.root}: the search has not begun; see `kdsearch status {run.root}`"
        )
    return recorded(run, facts["study"])


def recorded(run: RunDir, study: str) -> list[Trial]:
    """The trials of a study of this run.

    Raises:
        RunError: the journal was damaged.
    """
    with readable(run.journal(study)):
        return read_trials(run.journal(study))


@contextmanager
def readable(journal: Path) -> Iterator[None]:
    """Names the journal and the way out where the block finds a damaged record.

    A journal that is removed is written again from the results that the trials left.
    """
    try:
        yield
    except json.JSONDecodeError as error:
        raise damaged(journal, "a record is damaged") from error


def row(trial: Trial) -> dict[str, Any]:
    """One trial, flat; accuracy is that of the highest rung it reached."""
    scores = trial.scores.get(trial.rung, ())
    return {
        "number": trial.number,
        "state": trial.state,
        "rung": trial.rung if trial.scores else None,
        "accuracy": scores[0] if scores else None,
        "cost": scores[1] if len(scores) > 1 else None,
        "method": trial.candidate.recipe.method,
        **{f"knob.{k}": v for k, v in trial.candidate.recipe.knobs},
        **trial.candidate.architecture.as_dict(),
        "reason": trial.reason,
    }


def as_csv(rows: list[dict[str, Any]]) -> str:
    """Comma-separated, with every column that any row has."""
    columns = list(dict.fromkeys(name for r in rows for name in r))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def trial_table(rows: list[dict[str, Any]]) -> str:
    """The columns a person looks at first."""
    headers = ("trial", "state", "rung", "accuracy", "cost", "method", "reason")
    cells = [
        [
            str(r["number"]),
            r["state"],
            "" if r["rung"] is None else str(r["rung"]),
            percent(r["accuracy"]),
            "" if r["cost"] is None else f"{r['cost']:.4g}",
            r["method"],
            r["reason"],
        ]
        for r in rows
    ]
    return table(cells, headers)
