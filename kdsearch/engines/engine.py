"""The seam of an engine: it takes jobs from a source, has them done, tells the results."""

from dataclasses import dataclass
from textwrap import shorten
from typing import Protocol

from torch import nn

from kdsearch.core.progress import Progress
from kdsearch.core.records import Job, Result
from kdsearch.engines.cluster import Cluster
from kdsearch.errors import TeacherError
from kdsearch.search.rung import Rungs
from kdsearch.search.setting import Setting
from kdsearch.search.source import Source, Work

RETRIES = 2
"""How often a job whose worker was lost is begun again."""
WORDS = 160
"""Letters of what is told of a lost worker, at most."""


class Make(Protocol):
    """Makes what does a worker's jobs; it travels by its name."""

    def __call__(self, setting: Setting, progress: Progress, given: nn.Module | None) -> Work:
        """
        Args:
            given: a teacher passed as a Python object.
        """


@dataclass(frozen=True, slots=True)
class Workshop:
    """What an engine needs to set up its workers."""

    setting: Setting
    workers: int
    progress: Progress
    given: nn.Module | None = None
    """A teacher passed as a Python object; only an engine in this process can use it."""
    cluster: Cluster = Cluster()
    make: Make = Rungs


class Engine(Protocol):
    def __call__(self, source: Source, shop: Workshop) -> None:
        """Runs until the source is done; a lost worker's job is done again, at most twice.

        Raises:
            Stopped: asked to; what is begun goes on from its checkpoints.
        """


def refuse_object(shop: Workshop) -> None:
    """Raises TeacherError where a teacher would have to travel that cannot."""
    if shop.given is not None:
        raise TeacherError(
            "a teacher passed as a Python object cannot travel to Ray's workers; name it as "
            "teacher.network: module:pkg.mod:factory, or use search.engine: in-process"
        )


def lost(job: Job, said: str = "") -> Result:
    """
    Args:
        said: the last words of its worker.
    """
    reason = "its worker was lost again and again"
    return Result(job.name, job.rung, "lost", reason=f"{reason}: {said}" if said else reason)


def last_words(error: object) -> str:
    """What Ray says of a lost worker takes many lines; the last one names what ended it."""
    lines = str(error).strip().splitlines()
    return shorten(lines[-1], WORDS, placeholder=" …") if lines else ""
