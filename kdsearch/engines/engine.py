"""The seam of an engine: it takes jobs from a source, has them done, tells the results."""

from dataclasses import dataclass
from typing import Protocol

from torch import nn

from kdsearch.core.progress import Progress
from kdsearch.search.setting import Setting
from kdsearch.search.source import Source


@dataclass(frozen=True, slots=True)
class Workshop:
    """What an engine needs to set up its workers."""

    setting: Setting
    workers: int
    progress: Progress
    given: nn.Module | None = None
    """A teacher passed as a Python object; only an engine in this process can use it."""


class Engine(Protocol):
    def __call__(self, source: Source, shop: Workshop) -> None:
        """Runs until the source is done; a lost worker's job is done again, at most twice."""
