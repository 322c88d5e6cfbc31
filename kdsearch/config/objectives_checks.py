"""What may stand under search.objectives."""

import re
from collections.abc import Iterator, Sequence
from functools import partial

from kdsearch import spaces
from kdsearch.config.models import Config
from kdsearch.config.objectives import Directed, objectives_of
from kdsearch.config.problem import Problem, refused
from kdsearch.config.sources import SOURCES
from kdsearch.config.targets import first_name, known_objectives
from kdsearch.core.budget import no_target
from kdsearch.core.costs_named import is_timed
from kdsearch.core.objectives import KNOWN, MODULE
from kdsearch.errors import did_you_mean
from kdsearch.factory import find_factory
from kdsearch.spaces.marked import Keys

FEWEST, MOST = 2, 6
COLUMNS = ("number", "state", "rung", "cost", "method", "teacher", "reason")
"""What a table of trials has beside objectives."""


def objectives(config: Config) -> Iterator[Problem]:
    here, chosen = ("search", "objectives"), config.search.objectives
    wrong = [
        problem
        for i, one in enumerate(chosen)
        for problem in wrong_one(config, (*here, i), one, chosen[:i])
    ]
    yield from wrong or wrong_together(here, chosen)


def wrong_one(
    config: Config, here: Keys, one: str | Directed, before: Sequence[str | Directed]
) -> Iterator[Problem]:
    """What is wrong with one of them, first things first."""
    name = name_of(one)
    if isinstance(one, str):
        found = list(plain(config, here, one))
    else:
        found = list(directed(config, here, one))
    if not found and name in map(name_of, before):
        found = [(here, "named twice; remove one")]
    yield from found


def name_of(one: str | Directed) -> str | None:
    return one if isinstance(one, str) else one.title


def plain(config: Config, here: Keys, name: str) -> Iterator[Problem]:
    if name.startswith(MODULE):
        way_out = f"{{function: {name}, direction: maximize}}, or minimize"
        yield here, f"needs a direction; write {way_out}"
    else:
        yield from unknown(config, here, name)


def unknown(config: Config, here: Keys, name: str) -> Iterator[Problem]:
    """Whether a name is none of ours on any of the config's targets."""
    known = known_objectives(config)
    if name not in known and is_timed(name):
        yield here, no_target(name, known.values(), first_name(config))
    elif name not in known:
        yield here, f"unknown; {did_you_mean(name, known)}"


def directed(config: Config, here: Keys, one: Directed) -> Iterator[Problem]:
    if one.function is not None:
        yield from own(config, here, one)
    elif one.name is None:
        yield here, "needs a name (`kdsearch objectives` lists them) or a function"
    elif wrong := list(unknown(config, (*here, "name"), one.name)):
        yield from wrong
    elif one.worst is not None:
        yield (*here, "worst"), "is for a function of your own; remove this"
    elif one.direction != (way := known_objectives(config)[one.name].direction):
        yield (*here, "direction"), f"must be {way} for {one.name}"


def own(config: Config, here: Keys, one: Directed) -> Iterator[Problem]:
    """What is wrong with a function of the user's own; imports it."""
    assert one.function is not None
    kind, _, function = one.function.partition(":")
    if f"{kind}:" != MODULE or not re.fullmatch(SOURCES["module"], function):
        yield (*here, "function"), "must have the form module:pkg.mod:function"
    elif wrong := refused(partial(find_factory, function)):
        yield (*here, "function"), wrong
    elif wrong := name_problem(config, str(one.title)):
        yield (here if one.name is None else (*here, "name")), wrong


def name_problem(config: Config, name: str) -> str | None:
    """Why a function of the user's own cannot go by this name."""
    if not re.fullmatch(r"[^\W\d]\w*", name):
        return "must be a word of letters, digits and _"
    taken = {**dict.fromkeys(KNOWN, "an objective of ours")}
    taken |= dict.fromkeys(COLUMNS, "a column of every table of trials")
    if not refused(partial(spaces.locate, config.space)):
        axes = spaces.load_space(config.space).space.axes
        taken |= dict.fromkeys(axes, "an axis of the space")
    return f"'{name}' is {taken[name]}; give it another name" if name in taken else None


def wrong_together(here: Keys, chosen: Sequence[str | Directed]) -> Iterator[Problem]:
    found = objectives_of(chosen)
    if not FEWEST <= len(found) <= MOST:
        yield here, "must be two to six, for example [accuracy, latency_ms]"
    elif not found[0].scored:
        yield here, "must begin with a score, for example [accuracy, latency_ms]"
    elif all(one.scored for one in found):
        costs = [name for name, one in KNOWN.items() if not one.scored]
        yield here, f"must have a cost among them; allowed: {', '.join(costs)}"
