"""What stages with jobs share: the results of earlier stages, and who does the jobs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import torch

from kdsearch.core.objectives import Objective
from kdsearch.core.records import Architecture
from kdsearch.data.records import DataInfo
from kdsearch.engines import ENGINES
from kdsearch.engines.engine import Workshop
from kdsearch.measure.books import Books
from kdsearch.measure.scores import identity
from kdsearch.nets.kinds import family_of
from kdsearch.pipeline.cluster import cluster_of, device_of_jobs
from kdsearch.pipeline.context import Context
from kdsearch.search.setting import Setting
from kdsearch.search.source import Phase, Phases, Source
from kdsearch.supernet.prefixes import in_order

VERSION = 1
"""Of results with inherited weights."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the search stands on: the results of the stages before it."""

    data: Path
    info: DataInfo
    teacher: Path | None
    supernet: Path | None
    """None where students share no weights."""
    books: Books
    ends: Mapping[str, Mapping[str, float]]
    """Costs of the smallest and the largest student, on all targets."""


def execute(context: Context, setting: Setting, phases: Phase) -> None:
    """Has the configured engine do the jobs of some phases."""
    work_off(context, setting, Phases(phases))


def work_off(context: Context, setting: Setting, source: Source) -> None:
    """Has the configured engine do the jobs of a source."""
    search = context.config.search
    cluster = cluster_of(context.config)
    setting = replace(setting, device=device_of_jobs(context))
    shop = Workshop(setting, search.workers, context.progress, context.given, cluster)
    ENGINES[search.engine](source, shop)


def order_of(context: Context) -> Callable[[Iterable[Architecture]], list[Architecture]]:
    """Puts architectures that share their first segments next to each other."""
    family = family_of(context.space.family)
    if not family.shares_weights:
        return sorted
    with torch.device("meta"):
        net = family.supernet(context.space.space, 1, 2)
    return partial(in_order, net)  # type: ignore[arg-type]  # a Family gives a Supernet


def inherited_folder(
    context: Context, supernet: Path, info: DataInfo, metrics: Sequence[Objective] = ()
) -> Path:
    """Where rung 0's results are shared: by supernet, data, calibration and what is scored."""
    key: dict[str, Any] = {
        "version": VERSION,
        "supernet": supernet.name,
        "data": info.fingerprint,
    }
    if metrics:
        key["metrics"] = identity(metrics)
    return context.store.folder("inherited", key)


def weights_at(context: Context, study: str) -> str:
    """Where the weights of a study's trials are kept: a URL; empty: with their results.

    Runs of one name do not share it, nor does one that takes a removed one's place.
    """
    url, run = context.config.search.weights, context.run
    if url is None:
        return ""
    own = run.facts().get("own") or uuid4().hex[:8]
    place = f"{url.rstrip('/')}/{run.root.name}-{own}"
    run.note(own=own, weights=place)
    return f"{place}/{study}"
