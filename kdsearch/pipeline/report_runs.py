"""Verb `report` of several runs: one page that compares their fronts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import kdsearch
from kdsearch.errors import UserError
from kdsearch.files import write_text
from kdsearch.pipeline.differences import words
from kdsearch.pipeline.report import summarized
from kdsearch.report.runs import RunRow, page
from kdsearch.rundir import RunDir
from kdsearch.spaces.marked import read_file

PAGE = Path("runs.html")
"""Where the page goes unless another file is named."""


def compared(runs: Sequence[RunDir], to: Path) -> Path:
    """Writes the page and returns its path.

    Raises:
        RunError: one of them is not there.
        UserError: one is named twice, or the page would be a folder.
    """
    twice = [str(run.root) for run in runs if same(run, runs) > 1]
    if twice:
        raise UserError(f"{twice[0]}: named more than once; a run is compared with others")
    if to.is_dir():
        raise UserError(f"{to}: a folder; --to names a file, for example {to / PAGE}")
    for run in runs:
        run.read(run.state)
    rows = list(read(runs))
    choices = [
        replace(
            one.summary.choice,
            run=one.name,
            candidates=tuple(replace(c, card="") for c in one.summary.choice.candidates),
        )
        for one in rows
        if one.summary.choice
    ]
    made = datetime.now().strftime("%Y-%m-%d %H:%M")
    write_text(to, page(rows, choices, made, kdsearch.__version__))
    return to


def same(run: RunDir, runs: Sequence[RunDir]) -> int:
    return sum(run.root.resolve() == other.root.resolve() for other in runs)


def read(runs: Sequence[RunDir]) -> Iterator[RunRow]:
    """Runs whose folders have the same name are told by their whole paths."""
    names = Counter(run.root.resolve().name for run in runs)
    for run in runs:
        name = run.root.resolve().name
        front = run.read(run.front, "points") if run.front.exists() else {}
        yield RunRow(
            name=name if names[name] == 1 else str(run.root),
            summary=summarized(run, quickly=True),
            reference=front.get("reference_point") or {},
            settings=dict(flat(read_file(run.config).content)),
        )


def flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """'search.trials' and '40'."""
    for name, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", words(value)
