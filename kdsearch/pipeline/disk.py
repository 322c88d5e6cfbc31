"""The disk space that a run needs at most, from numbers of parameters; an estimate (ours)."""

import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import torch

from kdsearch.core.quantities import size
from kdsearch.core.records import Architecture
from kdsearch.core.seeds import derive
from kdsearch.data.records import DataInfo
from kdsearch.measure.size import params
from kdsearch.nets.kinds import family_of
from kdsearch.pipeline.context import Context

FLOAT, LABEL = 4, 8
"""Bytes of a weight and of a label; weights are stored so whatever the precision."""
COPIES = 3
"""Of the weights in a checkpoint: themselves, momentum, average."""
SAMPLE = 16
"""Students drawn to find the mean size of a space's."""
PER_TRIAL, PAGES = 6_000.0, 100_000.0
"""Bytes of a trial's results and part of the journal; of config, front, report, pictures."""
SPLITS = ("train", "search_val", "test")


class Assumed(NamedTuple):
    """What the estimate takes from others."""

    teacher: int
    """Parameters of all teachers together."""
    beside: float
    """Parameters that a method trains beside a student, on average."""
    told: int
    """Numbers that a teacher says of an image, where they are stored; 0: they are not."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes at the moment when it is most, by what they are for."""

    store: Mapping[str, float]
    run: Mapping[str, float]
    places: Mapping[str, Path]
    """Folders of 'store' and 'run', made or not."""

    @property
    def total(self) -> float:
        return sum(self.store.values()) + sum(self.run.values())


def disk(context: Context, info: DataInfo, assumed: Assumed) -> Disk:
    shared, student = sizes(context, info)
    checkpoint = COPIES * FLOAT * (student + assumed.beside)
    search, finalists = context.config.search, context.config.finalists
    run = {
        "trials": (search.trials + search.workers) * checkpoint  # all may pass the screen
        + finalists.count * finalists.seeds * FLOAT * student,
        "students": finalists.count * FLOAT * student,
        "results": search.trials * PER_TRIAL + PAGES,
    }
    largest = COPIES * FLOAT * max(assumed.teacher, shared)
    images = info.counts["train"] * context.config.distill.bank
    store = {
        "data": sum(info.counts[s] for s in SPLITS) * (info.channels * info.size**2 + LABEL),
        "teacher": FLOAT * assumed.teacher,
        "supernet": FLOAT * shared,
        "bank": FLOAT * assumed.told * images,
        "their training": max(0.0, largest - run["trials"]),  # over before there are trials
    }
    places = {"store": context.store.root, "run": context.run.root}
    return Disk({name: float(n) for name, n in store.items() if n}, run, places)


def sizes(context: Context, info: DataInfo) -> tuple[int, float]:
    """Parameters of the supernet (0: there is none), and of the space's mean student."""
    space, family = context.space.space, family_of(context.space.family)
    shape = (info.channels, len(info.classes))
    rng = random.Random(derive(0, "disk"))
    drawn = [Architecture.of(space.draw(rng)) for _ in range(SAMPLE)]
    with torch.device("meta"):
        shared = params(family.supernet(space, *shape)) if family.shares_weights else 0
        return shared, mean(params(family.student(one, *shape)) for one in drawn)


def free(folder: Path) -> tuple[int, int]:
    """The device that a folder is, or will be, on, and the bytes that are free there."""
    there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    return there.stat().st_dev, shutil.disk_usage(there).free


def words(found: Disk) -> Iterator[str]:
    """The estimate for a person, and a warning for each disk on which it does not fit."""
    parts = {**found.store, **found.run}
    told = ", ".join(f"{name} {size(number)}" for name, number in parts.items())
    yield f"disk expected, roughly, at most: {size(found.total)} ({told})"
    asked: dict[int, float] = {}
    left: dict[int, tuple[int, Path]] = {}
    for place, needs in (("store", found.store), ("run", found.run)):
        device, room = free(found.places[place])
        asked[device] = asked.get(device, 0.0) + sum(needs.values())
        left.setdefault(device, (room, found.places[place]))
    for device, (room, folder) in left.items():
        yield f"disk free: {size(room)} at {folder}"
        if room < asked[device]:
            yield (
                f"warning: about {size(asked[device])} may be needed there; make room, or name "
                "another place with --out and store"
            )
