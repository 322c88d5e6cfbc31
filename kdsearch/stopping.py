"""A request to stop: noted where work can be cut short and gone on with, obeyed elsewhere.

Ctrl-C is one, and SIGTERM, as a cluster sends before it takes a node away. Who trains writes a
checkpoint first, who hands out jobs lets their workers do so; a second request is obeyed at
once, wherever it comes.
"""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
OURS_TO_TAKE = (signal.SIG_DFL, signal.default_int_handler)
"""Handlers that stand for nobody's wish; those of others are left alone."""
STOPPING = "stopping; once more stops at once"
LOOK_S = 1.0


class Stopped(KeyboardInterrupt):
    """A first request was heeded: what was under way can be gone on with."""


class Stop:
    """Whether this process was asked to stop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.asked = False
        self.is_heeded = False
        """Whether somebody looks: a request may wait."""
        self._clock = clock
        self._look: Callable[[], bool] = bool
        self._looked = -math.inf

    def is_asked(self) -> bool:
        if not self.asked and self._clock() - self._looked >= LOOK_S:
            self.asked = self._look()
            self._looked = self._clock()
        return self.asked

    def listen(self, look: Callable[[], bool]) -> None:
        """Another process asks, not a signal: `look` is called now and then."""
        self._look, self.is_heeded = look, True


STOP = Stop()
"""This process's: signals come to a process, not to a part of it."""


@contextmanager
def heeded() -> Iterator[None]:
    """A first request within the block is noted in STOP, for the block to see and end.

    Outside of the main thread, inside another such block, and for signals that somebody else
    handles or ignores, nothing changes.

    Raises:
        Stopped: there was a request.
        KeyboardInterrupt: there were two.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if STOP.is_heeded or not is_main:
        yield
        return
    taken = [number for number in SIGNALS if signal.getsignal(number) in OURS_TO_TAKE]
    before = {number: signal.signal(number, note) for number in taken}
    STOP.is_heeded = True
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        was_asked, STOP.asked, STOP.is_heeded = STOP.asked, False, False
    if was_asked:
        raise Stopped


def note(number: int, frame: FrameType | None) -> None:
    if STOP.asked:
        raise KeyboardInterrupt
    STOP.asked = True


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM within the block is what Ctrl-C is, unless somebody handles or ignores it."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
