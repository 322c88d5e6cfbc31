"""Verb `trials`: every trial of the current search, one row each."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kdsearch.core.costs_named import AT, QUANTILES, is_timed, on_target
from kdsearch.core.objectives import is_cost
from kdsearch.core.quantities import percent
from kdsearch.errors import RunError
from kdsearch.files import damaged
from kdsearch.pipeline.table import table
from kdsearch.rundir import LATENCIES, RunDir, mapping
from kdsearch.search.study.journal import read_trials
from kdsearch.search.trial import Trial

NOTHING: Mapping[str, float] = MappingProxyType({})


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


STUMBLED = (ValueError, LookupError, TypeError, AttributeError, RuntimeError)
"""Over a record that is not as it was written, on the way from its bytes to a trial."""


@contextmanager
def readable(journal: Path) -> Iterator[None]:
    """Names the journal and the way out where the block, which reads it, finds a damaged
    record.

    A journal that is removed is written again from the results that the trials left.
    """
    try:
        yield
    except STUMBLED as error:
        raise damaged(journal, "a record is damaged") from error


def objective_names(run: RunDir) -> tuple[str, ...]:
    """Of what the current search trades, in the order of its trials' scores."""
    return tuple(run.facts().get("study_key", {}).get("objectives", ()))


def trial_rows(run: RunDir) -> list[dict[str, Any]]:
    """Every trial of the current search, flat: see `row`."""
    names = objective_names(run)
    elsewhere = measured_elsewhere(run, names)
    return [
        row(t, names, elsewhere.get(t.candidate.architecture.id, NOTHING)) for t in trials(run)
    ]


def further_columns(rows: Sequence[Mapping[str, Any]], objectives: Sequence[str]) -> list[str]:
    """Objectives beyond the usual two, and latencies on targets that are none."""
    timed = dict.fromkeys(name for r in rows for name in r if is_timed(name))
    return list(dict.fromkeys([*further(objectives), *(n for n in timed if AT in n)]))


def row(
    trial: Trial, objectives: Sequence[str], elsewhere: Mapping[str, float] = NOTHING
) -> dict[str, Any]:
    """One trial, flat; scores are those of the highest rung it reached.

    'accuracy' and 'cost', the first cost, are there always, further objectives by name.

    Args:
        elsewhere: its median latencies on targets that the search did not look at.
    """
    scores = named_scores(trial, objectives)
    return {
        "number": trial.number,
        "state": trial.state,
        "rung": trial.rung if trial.scores else None,
        "accuracy": scores.get("accuracy"),
        "cost": scores.get(first_cost(objectives) or ""),
        **{name: scores.get(name) for name in further(objectives)},
        **elsewhere,
        "method": trial.candidate.recipe.method,
        **{f"knob.{k}": v for k, v in trial.candidate.recipe.knobs},
        **{f"training.{k}": v for k, v in trial.candidate.recipe.training},
        **trial.candidate.architecture.as_dict(),
        "reason": trial.reason,
    }


def measured_elsewhere(run: RunDir, objectives: Sequence[str]) -> dict[str, dict[str, float]]:
    """By architecture id the median latencies on further targets that are no objectives, as
    far as they were measured: all that were scored with inherited weights, where the target
    was added to a finished run.
    """
    found: dict[str, dict[str, float]] = {}
    for folder in sorted((run.root / LATENCIES).glob("*")):
        cost = on_target(QUANTILES["p50"], folder.name)
        if cost not in objectives:
            for path in folder.glob(f"{'[0-9a-f]' * 10}.json"):
                found.setdefault(path.stem, {})[cost] = mapping(path, "p50_ms")["p50_ms"]
    return found


def named_scores(trial: Trial, objectives: Sequence[str]) -> dict[str, float]:
    """By objective, at the highest rung it has a score at; empty before any."""
    return dict(zip(objectives, trial.scores.get(trial.rung, ()), strict=False))


def first_cost(objectives: Sequence[str]) -> str | None:
    return next((name for name in objectives if is_cost(name)), None)


def further(objectives: Sequence[str]) -> list[str]:
    """All but the accuracy and the first cost."""
    usual = ("accuracy", first_cost(objectives))
    return [name for name in objectives if name not in usual]


def as_csv(rows: list[dict[str, Any]]) -> str:
    """Comma-separated, with every column that any row has."""
    columns = list(dict.fromkeys(name for r in rows for name in r))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def trial_table(rows: list[dict[str, Any]], more: Sequence[str] = ()) -> str:
    """The columns a person looks at first, and `more` numbers after the cost."""
    headers = ("trial", "state", "rung", "accuracy", "cost", *more, "method", "reason")
    cells = [
        [
            str(r["number"]),
            r["state"],
            "" if r["rung"] is None else str(r["rung"]),
            percent(r["accuracy"]),
            *(number(r.get(name)) for name in ("cost", *more)),
            r["method"],
            r["reason"],
        ]
        for r in rows
    ]
    return table(cells, headers)


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
