"""A config's targets and its budget on them, by the one name that each cost has."""

from collections.abc import Mapping
from typing import Any

from kdsearch.config.latency import Latency
from kdsearch.config.models import Config
from kdsearch.config.objectives import Directed
from kdsearch.core.budget import Bound, parse
from kdsearch.core.costs_named import asked_cost
from kdsearch.core.objectives import Objective, known_on


def targets_of(config: Config) -> tuple[Latency, ...]:
    """At least one, of a config that was checked; costs without a target's name are the
    first one's.
    """
    latency = config.latency
    return (latency,) if isinstance(latency, Latency) else latency


def names_of(config: Config) -> tuple[str, ...]:
    return tuple(one.title for one in targets_of(config))


def first_name(config: Config) -> str:
    """What the first target may be called in a cost's name; empty where it has no name."""
    return next((one.name or "" for one in targets_of(config)), "")


def known_objectives(config: Config) -> dict[str, Objective]:
    """All of ours by name, those on the config's further targets, too."""
    return known_on(names_of(config))


def bounds_of(config: Config) -> tuple[Bound, ...]:
    """The budget of a config that was checked."""
    given = config.budget.model_dump(exclude_none=True)
    known = tuple(known_objectives(config).values())
    first = first_name(config)
    return tuple(parse(name, value, known=known, first=first) for name, value in given.items())


def named_plainly(config: Config) -> Config:
    """The config with every cost under its one name, however it was written."""
    first, search = first_name(config), config.search
    chosen = tuple(objective_named(one, first) for one in search.objectives)
    return config.model_copy(
        update={
            "search": search.model_copy(update={"objectives": chosen}),
            "budget": type(config.budget)(**limits_named(dict(config.budget), first)),
        }
    )


def objective_named(one: str | Directed, first: str) -> str | Directed:
    if isinstance(one, str):
        return asked_cost(one, first)
    if one.name is None or one.function is not None:
        return one
    return one.model_copy(update={"name": asked_cost(one.name, first)})


def limits_named(given: Mapping[str, Any], first: str) -> dict[str, Any]:
    """One that is there under its plain name, too, stays as it is: see `twice`."""
    doubled = twice(given, first)
    return {
        name if name in doubled else asked_cost(name, first): limit
        for name, limit in given.items()
        if limit is not None
    }


def twice(given: Mapping[str, Any], first: str) -> dict[str, str]:
    """Names of limits to the one before each that means the same cost."""
    found: dict[str, str] = {}
    seen: dict[str, str] = {}
    for name, limit in given.items():
        if limit is not None:
            earlier = seen.setdefault(asked_cost(name, first), name)
            if earlier != name:
                found[name] = earlier
    return found
