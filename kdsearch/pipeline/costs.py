"""The costs of students on this run's target, and what relative bounds refer to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from kdsearch.config.latency import Latency
from kdsearch.config.targets import targets_of
from kdsearch.core.records import Architecture
from kdsearch.data.records import DataInfo
from kdsearch.errors import PredictorError, UserError
from kdsearch.files import write_json
from kdsearch.measure.book import CostBook, anchors, here
from kdsearch.measure.books import Books
from kdsearch.measure.fingerprint import fingerprint
from kdsearch.measure.latency import Target
from kdsearch.measure.load import Watch
from kdsearch.measure.profile import FromProfile, Profile, read_profile
from kdsearch.nets.kinds import family_of, identity
from kdsearch.pipeline.cluster import node_of
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.supernet import as_plain
from kdsearch.rundir import LATENCIES

VERSION = 1


def target_of(it: Latency) -> Target:
    return Target(
        it.title,
        it.runtime,
        it.threads,
        it.batch_size,
        it.precision,
        it.layout,
        it.size,
    )


@dataclass(frozen=True, slots=True)
class Students:
    """Makes students with fresh weights; it travels."""

    family: str
    channels: int
    classes: int

    def __call__(self, architecture: Architecture) -> nn.Module:
        return family_of(self.family).student(architecture, self.channels, self.classes)


def open_books(context: Context, info: DataInfo, *, elsewhere: bool = True) -> Books:
    """The run's cost books; their folders are shared by runs with the same networks and
    devices. The run links to them.

    Args:
        elsewhere: whether they measure where the config says; else in this process.
    """
    books = {
        one.title: open_book(context, info, one, elsewhere=elsewhere)
        for one in targets_of(context.config)
    }
    return Books(books)


def linked(context: Context, books: Books) -> None:
    """RUN/latency is the first one's folder, RUN/latencies/TARGET that of each further one."""
    run, (_, *further) = context.run, books.by_target.items()
    run.link("latency", books.first.folder)
    folder = run.root / LATENCIES
    gone = set(folder.iterdir()) if folder.is_dir() else set()
    for name, book in further:
        folder.mkdir(exist_ok=True)
        run.link(f"{LATENCIES}/{name}", book.folder)
        gone.discard(folder / name)
    for link in gone:
        if link.is_symlink():
            link.unlink()  # a target that the config has no more; what was measured stays


def open_book(
    context: Context, info: DataInfo, it: Latency, *, elsewhere: bool = True
) -> CostBook:
    """See `open_books`."""
    if it.profile is not None:
        return book_of_profile(context, info, it)
    space, target = context.space, target_of(it)
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
        it.rounds,
        context.progress,
        Watch(it.busy, it.patience),
        measure=node or here,
        device=device,
        is_apart=node is not None and node.is_apart,
        within=it.within,
    )


def book_of_profile(context: Context, info: DataInfo, it: Latency) -> CostBook:
    """Of a device that is not here: nothing is measured.

    Raises:
        PredictorError: the file holds no profile, or one of another space.
    """
    profile = profile_at(it)
    space, side = context.space, profile.target.size or info.size
    with naming_the_key(it):
        profile.check(identity(space.family), space.space, (info.channels, side, side))
    key = {"version": VERSION, "classes": len(info.classes), **profile.identity}
    folder: Path = context.store.folder("latency", key)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "key.json").exists():
        write_json(folder / "key.json", key)
    build = Students(space.family, info.channels, len(info.classes))
    return CostBook(
        folder,
        build,
        (info.channels, info.size, info.size),
        profile.target,
        anchors(space.space),
        it.rounds,
        context.progress,
        measure=FromProfile(profile, build),
        device=profile.device,
        is_apart=True,
    )


def profile_at(it: Latency) -> Profile:
    """Raises PredictorError where the file that the config names is no profile."""
    assert it.profile is not None, "a target that is measured here"
    with naming_the_key(it):
        return read_profile(Path(it.profile), it.title)


@contextmanager
def naming_the_key(it: Latency) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        told = str(error).removeprefix(f"{it.profile}: ")
        raise PredictorError(f"{it.profile}: profile of target '{it.title}': {told}") from error


def ends(context: Context, books: Books) -> dict[str, dict[str, float]]:
    """Costs of the space's smallest and largest student, latencies on all targets included."""
    space = context.space.space
    both = {"smallest": space.smallest(), "largest": space.largest()}
    students = {name: Architecture.of(point) for name, point in both.items()}
    costs = books.costs(list(students.values()))
    return {name: costs[a.id] for name, a in students.items()}


def space_key(context: Context) -> dict[str, object]:
    return {"family": identity(context.space.family), "axes": as_plain(context.space.space)}
