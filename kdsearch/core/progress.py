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
