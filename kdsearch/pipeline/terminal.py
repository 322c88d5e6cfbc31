"""What a command shows while it works (on stderr), and tables for what it found (on stdout)."""

import os
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TextIO

from kdsearch.core.progress import Progress
from kdsearch.core.quantities import duration, printable

SECONDS_BETWEEN_LINES = 5.0
Clock = Callable[[], float]


class Shown(Progress, Protocol):
    """Progress on a screen: to be closed, so that the screen is whole again after an error."""

    def close(self) -> None:
        """Shows what was not shown yet and gives the screen back; work may go on afterwards."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def terminal_progress(stream: TextIO, *, clock: Clock = time.monotonic) -> Shown:
    """Live bars on a terminal, plain lines anywhere else (a file, a pipe, TERM=dumb)."""
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        from kdsearch.pipeline.live import Live

        return Live(stream, clock=clock)
    return Lines(stream, clock=clock)


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


def table(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    """Columns aligned with blanks, numbers to the right; no newline at the end."""
    lines = [[printable(cell) for cell in line] for line in (headers, *rows)]
    columns = list(zip(*lines, strict=True))
    widths = [max(map(width, column)) for column in columns]
    right = [all(map(is_number_like, column[1:])) and len(column) > 1 for column in columns]
    rule = ["-" * one for one in widths]
    return "\n".join(
        "  ".join(
            " " * (space - width(cell)) + cell
            if to_right
            else cell + " " * (space - width(cell))
            for cell, space, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in (lines[0], rule, *lines[1:])
    )


def width(text: str) -> int:
    """Columns a terminal gives to `text`: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def is_number_like(cell: str) -> bool:
    """'1.2 k', '34 µs', '97.2 %', '-3', a dash for nothing, and nothing."""
    return not cell or cell == "–" or cell.removeprefix("-")[:1].isdigit()
