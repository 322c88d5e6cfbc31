"""Device-seconds that a training takes, over all the times it was worked on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kdsearch.files import read_json, write_json

KEPT = "seconds.json"
Clock = Callable[[], float]


def clock_of(device: str) -> Clock:
    """What a device's seconds are told by.

    A processor's are those that its cores spend on this process, whatever else they are busy
    with; an accelerator is ours alone, its seconds are the wall's.
    """
    return time.process_time if device == "cpu" else time.perf_counter


@contextmanager
def stopwatch(
    folder: Path, *, goes_on: bool, clock: Clock = time.perf_counter
) -> Iterator[None]:
    """Adds the block's seconds to those kept in the folder, also when it is cut off.

    Args:
        goes_on: whether there is earlier work to go on from. Where that was killed at once,
            how long it took is not known, and stays so.
    """
    path = folder / KEPT
    before: float | None = 0.0
    if goes_on:
        before = read_json(path)["seconds"] if path.exists() else None
    write_json(path, {"seconds": None})
    started = clock()
    try:
        yield
    finally:
        own = clock() - started
        write_json(path, {"seconds": None if before is None else round(before + own, 3)})


def taken(folder: Path) -> float | None:
    """The seconds kept there, which are removed; None where they are not known."""
    path = folder / KEPT
    seconds: float | None = read_json(path)["seconds"] if path.exists() else None
    path.unlink(missing_ok=True)
    return seconds
