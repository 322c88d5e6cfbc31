"""Whether a config's targets can be told apart, and their runtimes are there."""

from collections.abc import Iterator
from functools import partial

from kdsearch.config.explain import nearest_key
from kdsearch.config.latency import Latency
from kdsearch.config.models import Config
from kdsearch.config.problem import UNKNOWN_KEY, Problem, refused
from kdsearch.config.targets import (
    first_name,
    known_objectives,
    targets_of,
    twice,
)
from kdsearch.core.budget import no_target, parse
from kdsearch.core.costs_named import TARGET_NAME, is_timed
from kdsearch.errors import did_you_mean
from kdsearch.spaces.marked import Keys

MOST = 16
LETTERS = "must begin with a letter and go on with letters, digits, - and _, at most 40"
EXAMPLE = "for example {name: edge, runtime: onnxruntime, threads: 4}"


def targets(config: Config) -> Iterator[Problem]:
    several = not isinstance(config.latency, Latency)
    names: list[str | None] = []
    if not 0 < len(targets_of(config)) <= MOST:
        yield ("latency",), f"must hold one target to {MOST}; {EXAMPLE}"
    for i, one in enumerate(targets_of(config)):
        here: Keys = ("latency", i) if several else ("latency",)
        yield from named(here, one, names if several else None)
        yield from of_runtime(here, one)
        names.append(one.name)


def named(here: Keys, one: Latency, before: list[str | None] | None) -> Iterator[Problem]:
    """`before`: the names of those before it in a list; None of a target that is alone."""
    if one.name is None:
        if before is not None:
            yield here, f"'name' is missing, which targets in a list need; {EXAMPLE}"
    elif not TARGET_NAME.fullmatch(one.name):
        yield (*here, "name"), LETTERS
    elif before is not None and one.name.casefold() in [n.casefold() for n in before if n]:
        yield (*here, "name"), "named twice; give this target another name"


def of_runtime(here: Keys, one: Latency) -> Iterator[Problem]:
    if one.profile is not None:
        return  # it runs elsewhere
    from kdsearch.runtimes import RUNTIMES, refusal  # brings torch
    from kdsearch.runtimes.runtime import Calling

    calling = Calling(one.threads, one.precision, one.layout)
    if one.runtime not in RUNTIMES:
        yield (*here, "runtime"), f"unknown; {did_you_mean(one.runtime, RUNTIMES)}"
    elif reason := refusal(RUNTIMES[one.runtime], calling):
        yield (*here, "runtime"), reason


def budgets(config: Config) -> Iterator[Problem]:
    given = config.budget.model_dump(exclude_none=True)
    known, first = known_objectives(config), first_name(config)
    costs = tuple(one for one in known.values() if not one.scored)
    doubled = twice(given, first)
    for name, value in given.items():
        here = ("budget", name)
        if name in doubled:
            yield here, f"means the same as {doubled[name]}; give one of them"
        elif name in known and not known[name].scored:
            if refused(partial(parse, name, value, known=costs)):
                yield here, "must be a number above 0, or a share like '60%'"
        elif is_timed(name):
            yield here, no_target(name, costs, first)
        else:
            yield here, f"{UNKNOWN_KEY}{nearest_key(here, [one.name for one in costs])}"
