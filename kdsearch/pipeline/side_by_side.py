"""Several processes at a time, until all are over or somebody asks to stop.

A first Ctrl-C (or SIGTERM, as a cluster sends before it takes a node away) is handed on as
SIGINT and waited for; a second one kills.
"""

import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

from kdsearch.pipeline.child import Child, Command, Outcome
from kdsearch.rundir import RunDir

POLL_S = 0.2
PATIENCE_S = 60.0
"""How long a process that was asked to stop may take."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Board(Protocol):
    """Where it is told what becomes of the cells."""

    def held(self, name: str) -> None:
        """Another process is at work on it; it is waited for."""

    def begun(self, name: str) -> None: ...

    def ended(self, name: str, outcome: Outcome) -> None: ...

    def at_work(self, running: Mapping[str, Child]) -> None:
        """Now and then."""

    def stopping(self, running: int) -> None: ...


@dataclass
class Asked:
    """How often this process was asked to stop."""

    times: int = 0


def side_by_side(
    folders: Mapping[str, Path], parallel: int, command: Command, board: Board
) -> None:
    """Has the command done in every folder, `parallel` at a time, in their order.

    Raises:
        KeyboardInterrupt: asked to stop; nothing that was started is left running.
    """
    waiting, running = dict(folders), dict[str, Child]()
    with listening() as asked:
        try:
            while (waiting or running) and not asked.times:
                for name in free(waiting, parallel - len(running), board):
                    running[name] = Child(waiting.pop(name), command)
                    board.begun(name)
                told(running, board)
                board.at_work(running)
                time.sleep(POLL_S)
            if running:
                board.stopping(len(running))
                stop(list(running.values()), asked)
        finally:
            end(list(running.values()))
    for name, child in running.items():
        found = child.outcome()
        lasting = found.state in ("done", "unmet")
        board.ended(name, found if lasting else Outcome("stopped", "the same command goes on"))
    if asked.times:
        raise KeyboardInterrupt


def free(waiting: Mapping[str, Path], room: int, board: Board) -> list[str]:
    """At most `room` of those that no process is at work on: one of an earlier batch may have
    outlived it.
    """
    found: list[str] = []
    for name, folder in waiting.items():
        if len(found) >= room:
            break
        if RunDir(folder).busy():
            board.held(name)
        else:
            found.append(name)
    return found


def told(running: dict[str, Child], board: Board) -> None:
    """Tells of those that are over and forgets them."""
    for name in [name for name, child in running.items() if child.is_over()]:
        board.ended(name, running.pop(name).outcome())


def stop(children: Sequence[Child], asked: Asked) -> None:
    """Asks them to stop and waits, until asked to stop once more."""
    for child in children:
        child.send(signal.SIGINT)
    deadline, before = time.monotonic() + PATIENCE_S, asked.times
    while not all(child.is_over() for child in children):
        if asked.times > before or time.monotonic() > deadline:
            return
        time.sleep(POLL_S)


def end(children: Sequence[Child]) -> None:
    """Leaves none, nor anything that they started."""
    for child in children:
        child.send(signal.SIGKILL)
        child.process.wait()


@contextmanager
def listening() -> Iterator[Asked]:
    """Counts what asks to stop instead of being interrupted; what was ignored stays so."""
    asked = Asked()

    def heard(number: int, frame: FrameType | None) -> None:
        asked.times += 1

    is_main = threading.current_thread() is threading.main_thread()
    heeded = [s for s in SIGNALS if is_main and signal.getsignal(s) is not signal.SIG_IGN]
    before = {s: signal.signal(s, heard) for s in heeded}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
