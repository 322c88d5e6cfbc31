"""What a run does right now, in a file that other processes read."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kdsearch.core.progress import Progress
from kdsearch.errors import RunError
from kdsearch.files import read_json, write_json

SECONDS_BETWEEN_WRITES = 1.0


@dataclass(frozen=True, slots=True)
class Beat:
    """The task told of last; times in seconds since the epoch."""

    task: str | None
    """None: nothing is going on."""
    done: int
    total: int
    """0: not known."""
    note: str
    since: float
    """When the task began."""
    updated: float
    """When this was written: an old time means the process is gone or stuck."""
    first: int | None = None
    """What was done of the task when it was first told of: it may have gone on from there."""
    around: Sequence[Mapping[str, Any]] = ()
    """The other tasks that are open, each with its task, done, first and since."""

    def of(self, task: str) -> Mapping[str, Any] | None:
        """An open task, the current one or another: done, first and since."""
        open_ = {one["task"]: one for one in self.around}
        if self.task is not None:
            open_[self.task] = outline(self)
        return open_.get(task)


def outline(beat: Beat) -> dict[str, Any]:
    return {name: getattr(beat, name) for name in ("task", "done", "first", "since")}


def last_beat(path: Path) -> Beat | None:
    """What the file holds; None where there is none, or none of this version."""
    try:
        return Beat(**read_json(path))
    except (RunError, TypeError):
        return None


class Heartbeat:
    """Progress handed on to another one, and written to `path` at most once a second.

    A task's end is always written; after it, the task that is still open and was told of last
    takes its place. Leaving the `with` writes the last state, so that after an error the file
    says where it happened. A file that cannot be written is said once and stops no work.
    """

    def __init__(
        self,
        progress: Progress,
        path: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._progress = progress
        self._path = path
        self._clock = clock
        self._wall = now
        self._latest = 0.0
        self._written: float | None = None
        self._waiting: Beat | None = None
        self._open: dict[str, Beat] = {}
        """By when they were told of, the last one last."""
        self._is_broken = False

    def start(self, task: str, total: int) -> None:
        self._progress.start(task, total)
        now = self._now()
        self._tell(Beat(task, 0, total, "", since=now, updated=now))

    def step(self, task: str, done: int, note: str = "") -> None:
        self._progress.step(task, done, note)
        now = self._now()
        known = self._open.get(task, Beat(task, 0, 0, "", since=now, updated=now))
        first = done if known.first is None else known.first
        note = note or known.note
        self._tell(Beat(task, done, known.total, note, known.since, updated=now, first=first))

    def finish(self, task: str, note: str = "") -> None:
        self._progress.finish(task, note)
        now = self._now()
        ended = self._open.pop(task, Beat(task, 0, 0, "", since=now, updated=now))
        idle = replace(ended, task=None, note=note or ended.note)
        current = next(reversed(self._open.values()), idle)
        self._write(replace(current, updated=now))

    def say(self, line: str) -> None:
        self._progress.say(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._waiting:
            self._write(self._waiting)

    def _now(self) -> float:
        """A clock that is set back stands still here until it has caught up."""
        self._latest = max(self._latest, self._wall())
        return self._latest

    def _tell(self, beat: Beat) -> None:
        assert beat.task is not None
        self._open.pop(beat.task, None)
        self._open[beat.task] = self._waiting = beat
        if self._written is None or self._clock() - self._written >= SECONDS_BETWEEN_WRITES:
            self._write(beat)

    def _write(self, beat: Beat) -> None:
        self._written, self._waiting = self._clock(), None
        around = tuple(outline(b) for b in self._open.values() if b.task != beat.task)
        try:
            write_json(self._path, asdict(replace(beat, around=around)))
        except OSError as error:
            if not self._is_broken:
                self._progress.say(f"{self._path}: cannot be written ({error.strerror})")
            self._is_broken = True
