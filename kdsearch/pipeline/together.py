"""Teacher and supernet by several processes that are started here; this one waits for them.

They do what `torchrun -m kdsearch run CONFIG --until supernet` does, and leave their results in
the store, where the run that started them finds them.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

from kdsearch import errors
from kdsearch.config import Config
from kdsearch.core.progress import Progress
from kdsearch.engines import TEAMS
from kdsearch.engines.team import Team
from kdsearch.errors import KdsearchError
from kdsearch.files import made_folder, write_json
from kdsearch.pipeline.cluster import cluster_of
from kdsearch.pipeline.heartbeat import Beat, last_beat
from kdsearch.pipeline.team import follows
from kdsearch.rundir import RunDir

FAILURE = ".failure.json"
"""In a run's folder: what stopped the first of the processes, for the one that waits."""
SECONDS_BETWEEN_LOOKS = 1.0


class Order(NamedTuple):
    """What each process is to do; it travels."""

    config: Config
    out: str
    until: str
    folder: str
    """Where relative paths start."""


def trained_together(
    work: Callable[[Order], None], order: Order, progress: Progress, *, gpus: bool
) -> None:
    """Returns when the processes have done their work.

    Raises:
        KdsearchError: what the first of them raised.
    """
    rundir = RunDir(Path(order.out))
    failure = made_folder(rundir.root) / FAILURE
    failure.unlink(missing_ok=True)
    start = TEAMS[order.config.search.engine]
    try:
        with echoed(rundir.progress, progress):
            start(work, order, Team(order.config.processes, gpus, cluster_of(order.config)))
    except Exception:
        if failure.exists():
            raise noted(failure) from None
        raise


@contextmanager
def taking_part(order: Order) -> Iterator[None]:
    """Around the work of each process: in the right folder, its failure noted."""
    os.chdir(order.folder)
    try:
        yield
    except KdsearchError as error:
        if not follows():
            told = {"kind": type(error).__name__, "message": str(error), "more": vars(error)}
            write_json(Path(order.out) / FAILURE, told)
        raise


def noted(failure: Path) -> KdsearchError:
    """The error that was written there, which is removed."""
    told = json.loads(failure.read_text(encoding="utf-8"))
    failure.unlink()
    error: KdsearchError = getattr(errors, told["kind"])(told["message"], **told["more"])
    return error


@contextmanager
def echoed(path: Path, progress: Progress) -> Iterator[None]:
    """Tells `progress` what another process writes to its heartbeat's file, till the end."""
    stop, before = Event(), last_beat(path)

    def listen() -> None:
        shown: Beat | None = None
        while not stop.wait(SECONDS_BETWEEN_LOOKS):
            found = last_beat(path)
            if found is not None and found != before:
                shown = tell(progress, found, shown)
        if shown is not None and shown.task is not None:
            progress.finish(shown.task, shown.note)

    thread = Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def tell(progress: Progress, beat: Beat, shown: Beat | None) -> Beat:
    """Tells what is new since the beat that was shown last."""
    last = None if shown is None else shown.task
    if last is not None and last != beat.task:
        progress.finish(last)
    if beat.task is not None:
        if last != beat.task:
            progress.start(beat.task, beat.total)
        progress.step(beat.task, beat.done, beat.note)
    return beat
