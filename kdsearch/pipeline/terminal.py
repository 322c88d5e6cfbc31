"""What a command shows while it works, on stderr: live bars or plain lines."""

import os
import time
from types import TracebackType
from typing import Protocol, Self, TextIO

from kdsearch.core.progress import Progress
from kdsearch.pipeline.lines import Clock, Lines


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
