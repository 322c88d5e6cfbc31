"""Progress as plain lines, for a file or a pipe."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TextIO

from kdsearch.core.quantities import duration, printable

SECONDS_BETWEEN_LINES = 5.0
Clock = Callable[[], float]


@dataclass(slots=True)
class Task:
    total: int
    since: float
    done: int = 0
    note: str = ""
    shown: float = 0.0
    """When its last line was written."""
    is_shown: bool = True
    """Whether a line has told `done` and `note`."""


class Lines:
    """At most one line per task every five seconds; the end of a task always gets its line."""

    def __init__(self, stream: TextIO, *, clock: Clock = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._tasks: dict[str, Task] = {}

    def start(self, task: str, total: int) -> None:
        now = self._clock()
        self._tasks[task] = Task(total, since=now, shown=now)

    def step(self, task: str, done: int, note: str = "") -> None:
        if task not in self._tasks:
            self.start(task, 0)
        state = self._tasks[task]
        state.done, state.note, state.is_shown = done, note or state.note, False
        if self._clock() - state.shown >= SECONDS_BETWEEN_LINES:
            self._show(task, state)

    def finish(self, task: str, note: str = "") -> None:
        now = self._clock()
        state = self._tasks.pop(task, Task(0, since=now))
        self.say(finished(task, now - state.since, note or state.note))

    def say(self, line: str) -> None:
        self._stream.write(printable(line) + "\n")
        self._stream.flush()

    def close(self) -> None:
        for task, state in self._tasks.items():
            if not state.is_shown:
                self._show(task, state)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _show(self, task: str, state: Task) -> None:
        state.shown, state.is_shown = self._clock(), True
        self.say(underway(task, state, state.shown - state.since))


def underway(task: str, state: Task, seconds: float) -> str:
    """'teacher: 340/1,120 (30 %) after 12 s, loss 0.41'."""
    share = f"/{state.total:,} ({state.done / state.total:.0%})" if state.total > 0 else ""
    share = share.replace("%", " %")
    note = f", {state.note}" if state.note else ""
    return f"{task}: {state.done:,}{share} after {duration(seconds)}{note}"


def finished(task: str, seconds: float, note: str) -> str:
    """'teacher: done in 41 s, accuracy 98.9 %'."""
    return f"{task}: done in {duration(seconds)}" + (f", {note}" if note else "")
