"""How long work tells that it moves: a protocol, and the one that keeps still."""

from typing import Protocol


class Progress(Protocol):
    def start(self, task: str, total: int) -> None:
        """A task of `total` steps begins."""

    def step(self, task: str, done: int, note: str = "") -> None:
        """`done` steps of a task are over; `note` is a few words (a loss, an accuracy)."""

    def finish(self, task: str, note: str = "") -> None:
        """A task is over."""

    def say(self, line: str) -> None:
        """One line worth reading."""


class Noting:
    """Hands on to another one, and keeps the lines that were said."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.lines: list[str] = []

    def start(self, task: str, total: int) -> None:
        self._progress.start(task, total)

    def step(self, task: str, done: int, note: str = "") -> None:
        self._progress.step(task, done, note)

    def finish(self, task: str, note: str = "") -> None:
        self._progress.finish(task, note)

    def say(self, line: str) -> None:
        self.lines.append(line)
        self._progress.say(line)


class Silent:
    """Progress for tests and workers: keeps still."""

    def start(self, task: str, total: int) -> None:
        pass

    def step(self, task: str, done: int, note: str = "") -> None:
        pass

    def finish(self, task: str, note: str = "") -> None:
        pass

    def say(self, line: str) -> None:
        pass


class Once:
    """Says a line the first time, and an empty one never."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._said = {""}

    def say(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._progress.say(line)
