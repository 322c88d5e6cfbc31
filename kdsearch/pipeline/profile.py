"""Verb `profile`: measures networks all over a space on each target, and learns to predict.

Each measurement is in the store before the next group begins, so a killed profile goes on, and
a search on the same target finds them. One network in three is measured twice: how well two
measurements agree is the most that a prediction can reach.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from kdsearch.config import Config
from kdsearch.config.targets import targets_of
from kdsearch.core.progress import Progress
from kdsearch.core.quantities import UNKNOWN, milliseconds, percent
from kdsearch.core.records import Architecture
from kdsearch.core.seeds import derive
from kdsearch.core.space import Space
from kdsearch.core.spread import spread
from kdsearch.data.records import DataInfo
from kdsearch.errors import KdsearchError, UserError
from kdsearch.files import write_json
from kdsearch.measure.book import CostBook, read_latency
from kdsearch.measure.footprint import footprint_of
from kdsearch.measure.latency import Latency
from kdsearch.measure.predict import FEWEST
from kdsearch.measure.profile import Profile, Row, read_profile
from kdsearch.nets.kinds import identity
from kdsearch.pipeline.context import Context, open_context
from kdsearch.pipeline.costs import open_books
from kdsearch.pipeline.data import prepared
from kdsearch.pipeline.table import table

NETWORKS = 120
MOST = 2_000
"""Networks that are measured in one evening."""
GROUP = 20
"""Networks in the same rounds: so many are lost by a kill at most."""
TWICE = 3
"""One network in so many is measured twice."""
AGAIN, FILE = "again", "profile.json"
SEED = 0
"""All searches of a space share its profile."""


def profile(
    config: Config, out: Path, progress: Progress, networks: int = NETWORKS
) -> dict[str, Profile]:
    """By target; written beside the measurements, as `profile.json`.

    Raises:
        UserError: too few networks are asked for, or anything that a run would refuse.
    """
    context = open_context(config, out, progress)
    check_count(networks, context.space.space)
    _, info = prepared(context)
    here = {one.title for one in targets_of(config) if one.profile is None}
    if not here:
        raise UserError("latency.profile: all targets are profiles of other devices already")
    return {
        name: profiled(context, info, book, networks)
        for name, book in open_books(context, info).by_target.items()
        if name in here
    }


def check_count(networks: int, space: Space) -> None:
    """Raises UserError for too few to learn from."""
    if min(networks, space.count()) < FEWEST:
        raise UserError(
            f"a profile of {min(networks, space.count())} networks (--networks {networks}, a "
            f"space of {space.count()}): an interval needs {FEWEST} at least"
        )
    if networks > MOST:
        raise UserError(f"--networks {networks}: must be from {FEWEST} to {MOST}")


def profiled(
    context: Context, info: DataInfo, book: CostBook, networks: int = NETWORKS
) -> Profile:
    """Of one target; what was measured before is not measured again."""
    chosen = architectures_of(context.space.space, networks)
    latencies = first_measured(book, chosen)
    again = measured_again(book, twice(chosen))
    shape = shape_of(book)
    made = Profile(
        target=book.target,
        device=book.device,
        family=identity(context.space.family),
        axes={name: list(values) for name, values in context.space.space.choices().items()},
        shape=shape,
        rows=tuple(
            Row(a, footprint_of(book.build, a, shape), latencies[a.id], again.get(a.id))
            for a in chosen
        ),
    )
    before = profile_beside(book)
    if before is not None and before.identity == made.identity:
        return replace(made, known_quality=before.known_quality)
    made.write(book.folder / FILE)
    return made


def profile_beside(book: CostBook) -> Profile | None:
    """The profile that was made of the book's measurements; None without, or a damaged one."""
    path: Path = book.folder / FILE
    if not path.exists():
        return None
    try:
        return read_profile(path)
    except KdsearchError:
        return None  # it is written anew


def architectures_of(space: Space, networks: int) -> list[Architecture]:
    """In random order, so that no group is all small or all large."""
    chosen = [Architecture.of(point) for point in spread(space, networks, SEED)]
    random.Random(derive(SEED, "groups")).shuffle(chosen)
    return chosen


def shape_of(book: CostBook) -> tuple[int, int, int]:
    """Of an image as the target sees it."""
    channels, height, width = book.shape
    side = book.target.size
    return book.shape if side is None else (channels, side, side)


def twice(chosen: Sequence[Architecture]) -> list[Architecture]:
    return list(chosen[::TWICE])


def first_measured(book: CostBook, chosen: Sequence[Architecture]) -> Mapping[str, Latency]:
    found: dict[str, Latency] = {}
    for group in groups(book, "profile", chosen):
        found |= book.latencies(group)
    return found


def measured_again(book: CostBook, chosen: Sequence[Architecture]) -> dict[str, Latency]:
    """A second measurement of each, in other rounds beside others."""
    folder = book.folder / AGAIN
    others = sorted(chosen, key=lambda a: derive(SEED, "again", a.id))
    for group in groups(book, "profile, again", others):
        missing = [a for a in group if not (folder / f"{a.id}.json").exists()]
        if missing:
            for name, timed in book.measured(missing).items():
                write_json(folder / f"{name}.json", asdict(timed))
    return {a.id: read_latency(folder / f"{a.id}.json") for a in chosen}


def groups(
    book: CostBook, what: str, chosen: Sequence[Architecture]
) -> Iterator[Sequence[Architecture]]:
    """One after the other, with progress."""
    task = f"{what} {book.target.name}"
    book.progress.start(task, len(chosen))
    for at in range(0, len(chosen), GROUP):
        yield chosen[at : at + GROUP]
        book.progress.step(task, min(at + GROUP, len(chosen)))
    book.progress.finish(task)


HEADERS = (
    "target",
    "networks",
    "fastest",
    "slowest",
    "within 10 %",
    "ceiling",
    "tau",
    "ceiling",
    "covered",
    "± typical",
)


def words(profiles: Mapping[str, Profile]) -> str:
    """A table for a person, one row a target."""
    rows = [row(name, one) for name, one in profiles.items()]
    return "\n".join([table(rows, HEADERS), *LEGEND])


LEGEND = (
    "within 10 %: predictions of networks that were left out, beside (ceiling) a second",
    "measurement of the same; tau: Kendall's, of their ranking; covered: by 90 % intervals",
)


def row(name: str, one: Profile) -> list[str]:
    ends = [f(r.latency.p50_ms for r in one.rows) for f in (min, max)]
    cells = [name, str(len(one.rows)), *map(milliseconds, ends)]
    found = one.quality
    if found is None:
        return [*cells, *[UNKNOWN] * (len(HEADERS) - len(cells))]
    ceiling = found.ceiling
    return [
        *cells,
        percent(found.predicted.within_10_percent, 0),
        UNKNOWN if ceiling is None else percent(ceiling.within_10_percent, 0),
        number(found.predicted.tau),
        UNKNOWN if ceiling is None else number(ceiling.tau),
        percent(found.coverage, 0),
        percent(found.half_width, 0),
    ]


def number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"


def as_json(profiles: Mapping[str, Profile]) -> dict[str, Any]:
    return {name: one.as_dict() for name, one in profiles.items()}


def write_profiles(profiles: Mapping[str, Profile], to: Path) -> list[Path]:
    """One file of one target; of several, each target's name goes into its file's."""
    paths = []
    for name, one in profiles.items():
        path = to if len(profiles) == 1 else to.with_name(f"{to.stem}-{name}{to.suffix}")
        one.write(path)
        paths.append(path)
    return paths
