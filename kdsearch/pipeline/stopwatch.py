"""Seconds that a training takes, over all the times it was worked on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kdsearch.files import read_json, write_json

KEPT = "seconds.json"


@contextmanager
def stopwatch(folder: Path, *, goes_on: bool) -> Iterator[None]:
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
    started = time.perf_counter()
    try:
        yield
    finally:
        own = time.perf_counter() - started
        write_json(path, {"seconds": None if before is None else round(before + own, 3)})


def taken(folder: Path) -> float | None:
    """The seconds kept there, which are removed; None where they are not known."""
    path = folder / KEPT
    seconds: float | None = read_json(path)["seconds"] if path.exists() else None
    path.unlink(missing_ok=True)
    return seconds
