"""Verb `batch`: many searches from one manifest, each a run of its own, sharing what they can.

The cells' configs are checked before anything runs. Each cell is `kdsearch run` in a process
of its own; teachers, supernets and latencies come from one store, whose locks have a second
cell wait for the first. What is done stays done; a cell that fails stops no other.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from kdsearch.config import resolved_yaml
from kdsearch.config.cells import Cell
from kdsearch.config.manifest import read_manifest
from kdsearch.core.progress import Progress
from kdsearch.core.quantities import several
from kdsearch.errors import RunError, UserError
from kdsearch.files import made_folder, write_text
from kdsearch.pipeline.batch_results import content_of, write_results
from kdsearch.pipeline.child import (
    Child,
    Command,
    Outcome,
    asked_for,
    keep,
    run_command,
    settled,
)
from kdsearch.pipeline.heartbeat import last_beat
from kdsearch.pipeline.side_by_side import side_by_side
from kdsearch.rundir import RunDir

CELLS = "cells"
TASK = "batch"
NOTED = 3
"""So many cells at work are told of in one line."""
TENTHS = 10
"""Parts of a cell's task that are worth a new line."""


def batch(
    path: str | Path,
    out: Path,
    progress: Progress,
    *,
    parallel: int | None = None,
    overrides: Sequence[str] = (),
    command: Command = run_command,
) -> dict[str, Any]:
    """Has every cell done; the content of batch.json.

    Raises:
        UserError: the manifest will not do, or another batch is at work in this folder.
        KeyboardInterrupt: asked to stop; the same call goes on.
    """
    if parallel is not None and parallel < 1:
        raise UserError(f"--parallel {parallel}: needs at least 1")
    cells, own = read_manifest(path, overrides)
    at_once = parallel or own
    check_folder(out)
    made_folder(out)
    with writing(out):
        board = Results(out, [with_store(cell, out) for cell in cells], at_once, progress)
        try:
            side_by_side(board.open(), at_once, command, board)
        finally:
            content = board.written()
    progress.finish(TASK, summary(content))
    return content


def check_folder(out: Path) -> None:
    """Raises RunError for the folder of a run, which a batch would be mixed with."""
    if RunDir(out).config.exists() and not (out / "batch.json").exists():
        raise RunError(f"{out}: a run, no place for a batch; name another --out")


def with_store(cell: Cell, out: Path) -> Cell:
    """All cells of a batch share one store: that of runs beside the batch."""
    store = cell.config.store or str(out.resolve().parent / "store")
    return cell._replace(config=cell.config.model_copy(update={"store": store}))


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Holds the batch's one writer lock."""
    lock = FileLock(out / ".lock")
    try:
        lock.acquire(timeout=0.5)
    except Timeout:
        raise RunError(
            f"{out}: another `kdsearch batch` is at work here; name another --out"
        ) from None
    try:
        yield
    finally:
        lock.release()


class Results:
    """What has become of the cells so far, told and written at every change."""

    def __init__(
        self, out: Path, cells: Sequence[Cell], parallel: int, progress: Progress
    ) -> None:
        self._out = out
        self._cells = cells
        self._parallel = parallel
        self._progress = progress
        self._asked: dict[str, str] = {}
        self._held: set[str] = set()
        self._shown = ""
        self._outcomes = {cell.name: Outcome("waiting") for cell in cells}

    def open(self) -> dict[str, Path]:
        """The folders of the cells that are not done, each with its config."""
        folders = {}
        for cell in self._cells:
            run = RunDir(self._out / CELLS / cell.name)
            text = resolved_yaml(cell.config)
            self._asked[cell.name] = asked_for(text)
            if outcome := settled(run.root, self._asked[cell.name]):
                self._outcomes[cell.name] = outcome
                continue
            if not run.config.exists() or run.config.read_text(encoding="utf-8") != text:
                write_text(run.config, text)
            folders[cell.name] = run.root
        done = len(self._cells) - len(folders)
        self._progress.say(
            f"batch: {several(len(self._cells), 'cell')}, {done} done before; "
            f"{self._parallel} at a time, in {self._out / CELLS}"
        )
        self._progress.start(TASK, len(self._cells))
        return folders

    def held(self, name: str) -> None:
        if name not in self._held:
            self._progress.say(f"{name}: another process is at work on it; it is waited for")
        self._held.add(name)

    def begun(self, name: str) -> None:
        self._outcomes[name] = Outcome("running")
        self._progress.say(f"{name}: begun")

    def ended(self, name: str, outcome: Outcome) -> None:
        self._outcomes[name] = outcome
        if outcome.state != "stopped":
            keep(self._out / CELLS / name, self._asked[name], outcome)
        reason = f": {outcome.reason}" if outcome.reason else ""
        self._progress.say(f"{name}: {outcome.state}{reason}")
        self.written()

    def at_work(self, running: Mapping[str, Child]) -> None:
        told = [f"{name}: {doing(child)}" for name, child in running.items()]
        more = [f"and {len(told) - NOTED} more"] if len(told) > NOTED else []
        note = "; ".join([*told[:NOTED], *more])
        over = sum(o.state not in ("waiting", "running") for o in self._outcomes.values())
        if note and note != self._shown:
            self._progress.step(TASK, over, note)
            self._shown = note

    def stopping(self, running: int) -> None:
        self._progress.say(
            f"stopping: {running} at work are asked to stop; Ctrl-C again ends them at once"
        )

    def written(self) -> dict[str, Any]:
        """The content of batch.json, which is written with the table and the page."""
        content = content_of(self._out, CELLS, self._cells, self._outcomes, self._parallel)
        write_results(self._out, content)
        return content


def doing(child: Child) -> str:
    """What a cell is at, to a tenth of its task."""
    beat = last_beat(RunDir(child.folder).progress)
    if beat is None or beat.task is None:
        return "at work"
    if beat.total <= 0:
        return beat.task
    return f"{beat.task} {TENTHS * beat.done // beat.total * 100 // TENTHS} %"


def summary(content: Mapping[str, Any]) -> str:
    """'3 done, 1 failed'."""
    counted = Counter(cell["state"] for cell in content["cells"])
    return ", ".join(f"{number} {state}" for state, number in counted.items())
