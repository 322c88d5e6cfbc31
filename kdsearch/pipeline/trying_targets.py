"""The ends of a space timed on every target before a run: what its students may take there."""

from typing import Any

from kdsearch.config.targets import names_of
from kdsearch.data.records import DataInfo
from kdsearch.engines.cluster import DRIVER
from kdsearch.pipeline.cluster import cluster_of
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.costs import ends, open_books
from kdsearch.pipeline.targets import with_ends
from kdsearch.pipeline.timed import targets_told


def profile(context: Context, info: DataInfo) -> dict[str, dict[str, Any]]:
    """By target what it is, and what the ends of the space take there: measured now, or looked
    up. Targets on another node have their names alone: nobody asks for it before a run.
    """
    if cluster_of(context.config).latency_node != DRIVER:
        return {name: {} for name in names_of(context.config)}
    books = open_books(context, info, elsewhere=False)
    return with_ends(targets_told(books), ends(context, books))
