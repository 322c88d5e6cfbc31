"""Progress bars of rich on a terminal."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from kdsearch.core.quantities import printable
from kdsearch.pipeline.lines import Task, finished, underway

SECONDS_BETWEEN_FRAMES = 0.1


class Live:
    """One bar per open task; a finished task leaves a line above them.

    Drawn when progress is told, not by a thread of its own: a thread would disturb the
    latencies measured in this process. The bars go away with the last open task.
    """

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = Console(file=stream, force_terminal=True, highlight=False)
        self._clock = clock
        self._bars: Bars | None = None
        self._open: dict[str, tuple[TaskID, Task]] = {}
        self._drawn = 0.0

    def start(self, task: str, total: int) -> None:
        bars = self._shown()
        if task in self._open:
            bars.remove_task(self._open[task][0])
        number = bars.add_task(printable(task), total=total or None, note="")
        self._open[task] = (number, Task(total, since=self._clock()))
        self._draw(now=True)

    def step(self, task: str, done: int, note: str = "") -> None:
        if task not in self._open:
            self.start(task, 0)
        number, state = self._open[task]
        state.done, state.note = done, note or state.note
        self._shown().update(number, completed=done, note=printable(state.note))
        self._draw()

    def finish(self, task: str, note: str = "") -> None:
        if task not in self._open:
            self.start(task, 0)
        number, state = self._open.pop(task)
        self._shown().remove_task(number)
        self.say(finished(task, self._clock() - state.since, note or state.note))
        if not self._open:
            self.close()

    def say(self, line: str) -> None:
        self._console.print(printable(line), markup=False, emoji=False, soft_wrap=True)

    def close(self) -> None:
        if self._bars:
            self._bars.stop()
        self._bars = None
        for task, (_, state) in self._open.items():
            self.say(underway(task, state, self._clock() - state.since))
        self._open.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _shown(self) -> Bars:
        if self._bars is None:
            self._bars = Bars(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TimeRemainingColumn(compact=True),
                TextColumn("{task.fields[note]}", markup=False),
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._bars.start()
        return self._bars

    def _draw(self, *, now: bool = False) -> None:
        if now or self._clock() - self._drawn >= SECONDS_BETWEEN_FRAMES:
            self._shown().refresh()
            self._drawn = self._clock()
