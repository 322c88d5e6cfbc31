"""Whether a search can begin as it is told to, and its sampler do what it is for."""

from collections.abc import Iterator
from pathlib import Path

from kdsearch import spaces
from kdsearch.config.models import GRID, Config, KnobRange
from kdsearch.config.problem import Problem, not_of_space, refused
from kdsearch.core.quantities import count
from kdsearch.core.space import written
from kdsearch.places import opened

MOST = 100_000
"""Students that may be listed one by one."""
WAY_OUT = "or set search.sampler: tpe"


def starts(config: Config) -> Iterator[Problem]:
    for i, chosen in enumerate(config.search.start):
        yield from not_of_space(config, ("search", "start", i), chosen)
    folder = config.search.start_from
    if folder is not None and not (Path(folder) / "config.yaml").is_file():
        yield ("search", "start_from"), "no run in this folder; name a run's, or remove this"


def weights(config: Config) -> Iterator[Problem]:
    url = config.search.weights
    if url is None:
        return
    if "://" not in url:
        yield (
            ("search", "weights"),
            "needs a URL: s3://bucket/folder, or null",
        )
    elif url.startswith("memory://"):
        yield ("search", "weights"), "ends with the process; name a place that stays"
    elif wrong := refused(lambda: opened(url)):
        yield ("search", "weights"), wrong.removeprefix(f"{url}: ")


def exhaustive(config: Config) -> Iterator[Problem]:
    if config.search.exhaustive > MOST:
        rule = f"must be at most {MOST}: that many students are scored before any trial"
        yield ("search", "exhaustive"), rule


def grid(config: Config) -> Iterator[Problem]:
    """A grid is over students: it takes one recipe."""
    if config.search.sampler != GRID:
        return
    names, one = config.distill.names, f"takes one fixed recipe; {{}}, {WAY_OUT}"
    if len(names) > 1:
        yield ("distill", "methods"), f"sampler grid {one.format(f'name one: [{names[0]}]')}"
    for name, values in config.distill.knobs.items():
        if isinstance(values, KnobRange) or len(values) > 1:
            first = values.low if isinstance(values, KnobRange) else values[0]
            left = one.format(f"leave one value: [{written(first)}]")
            yield ("distill", "knobs", name), f"sampler grid {left}"
    for path, given in (
        (("search", "vary"), config.search.vary),
        (("teachers",), config.teachers),
        (("search", "start_from"), config.search.start_from),
    ):
        if given:
            yield path, f"sampler grid {one.format('remove this')}"
    yield from too_many(config)


def too_many(config: Config) -> Iterator[Problem]:
    if refused(lambda: spaces.load_space(config.space)):
        return  # said elsewhere
    students = spaces.load_space(config.space).count
    if students > MOST:
        rule = f"takes every student, and {config.space} has {count(students)}; use tpe"
        yield ("search", "sampler"), rule
