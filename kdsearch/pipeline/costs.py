"""The costs of students on this run's target, and what relative bounds refer to."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from kdsearch.core.budget import Bound, parse
from kdsearch.core.records import Architecture
from kdsearch.data.records import DataInfo
from kdsearch.files import write_json
from kdsearch.measure.book import CostBook, anchors, here
from kdsearch.measure.fingerprint import fingerprint
from kdsearch.measure.latency import Target
from kdsearch.measure.load import Watch
from kdsearch.nets.kinds import family_of, identity
from kdsearch.pipeline.cluster import node_of
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.supernet import as_plain

VERSION = 1


def target_of(context: Context) -> Target:
    latency = context.config.latency
    threads = f"{latency.threads} thread{'s' if latency.threads > 1 else ''}"
    name = f"{latency.runtime}, {threads}, batch {latency.batch_size}"
    return Target(name, latency.runtime, latency.threads, latency.batch_size)


@dataclass(frozen=True, slots=True)
class Students:
    """Makes students with fresh weights; it travels."""

    family: str
    channels: int
    classes: int

    def __call__(self, architecture: Architecture) -> nn.Module:
        return family_of(self.family).student(architecture, self.channels, self.classes)


def open_book(context: Context, info: DataInfo, *, elsewhere: bool = True) -> CostBook:
    """The run's cost book; its folder is shared by runs with the same networks and device.

    Args:
        elsewhere: whether it measures where the config says; else in this process.
    """
    space, target = context.space, target_of(context)
    node = node_of(context.config, context.progress) if elsewhere else None
    device = fingerprint(target) if node is None else node.fingerprint(target)
    fixed = anchors(space.space)
    classes = len(info.classes)
    key = {
        "version": VERSION,
        "family": identity(space.family),
        "anchors": {name: a.as_dict() for name, a in fixed.items()},
        "input": [info.channels, info.size, classes],
        "device": device,
    }
    folder: Path = context.store.folder("latency", key)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "key.json").exists():
        write_json(folder / "key.json", key)
    return CostBook(
        folder,
        Students(space.family, info.channels, classes),
        (info.channels, info.size, info.size),
        target,
        fixed,
        context.config.latency.rounds,
        context.progress,
        Watch(context.config.latency.busy, context.config.latency.patience),
        measure=node or here,
        device=device,
        is_apart=node is not None and node.is_apart,
    )


def ends(context: Context, book: CostBook) -> dict[str, dict[str, float]]:
    """Costs of the space's smallest and largest student, latency included."""
    space = context.space.space
    both = {"smallest": space.smallest(), "largest": space.largest()}
    students = {name: Architecture.of(point) for name, point in both.items()}
    costs = book.costs(list(students.values()), latency=True)
    return {name: costs[a.id] for name, a in students.items()}


def bounds_of(context: Context) -> tuple[Bound, ...]:
    budget = context.config.budget.model_dump(exclude_none=True)
    return tuple(parse(name, value) for name, value in budget.items())


def space_key(context: Context) -> dict[str, object]:
    return {"family": identity(context.space.family), "axes": as_plain(context.space.space)}
