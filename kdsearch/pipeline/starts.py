"""Candidates that a search begins with: the space's ends, the user's own, an earlier front."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kdsearch.core.records import Architecture, Recipe
from kdsearch.core.space import Space, Value
from kdsearch.errors import RunError, UserError
from kdsearch.pipeline.context import Context
from kdsearch.rundir import RunDir
from kdsearch.search.pool import Pool
from kdsearch.search.study.proposer import Start


def starts_of(context: Context, pool: Pool) -> list[Start]:
    """In the order they are tried, each once; notes what was read of another run.

    Raises: see `starts_within`.
    """
    found, named = starts_within(context, pool), context.config.search.start_from
    if named is not None:
        run = context.run
        known = run.facts().get("start_from", {})
        run.note(start_from={**known, named: front_once_read(run, named)})
    return found


def starts_within(context: Context, pool: Pool) -> list[Start]:
    """In the order they are tried, each once; writes nothing.

    Raises:
        UserError: the run itself is named, or a front without students of the space.
        RunError: there is no front in the run named.
    """
    search, space = context.config.search, pool.architectures
    found = [Start(student(each, space)) for each in search.start]
    if search.start_from is not None:
        if Path(search.start_from).resolve() == context.run.root.resolve():
            raise UserError(
                f"search.start_from: {search.start_from} is this run itself, which goes on "
                "from its own trials anyway; remove it, or name another run"
            )
        points = front_once_read(context.run, search.start_from)
        earlier = list(of_front(points, pool))
        if not earlier:
            raise UserError(
                f"search.start_from: no student on the front of {search.start_from} is one of "
                f"the space {context.space.name}; remove it, or name a run of the same space"
            )
        found += earlier
    return list(dict.fromkeys(found))


def student(named: str | Mapping[str, Value], space: Space) -> Architecture:
    if isinstance(named, str):
        return Architecture.of({"smallest": space.smallest, "largest": space.largest}[named]())
    return Architecture.of(named)


def front_once_read(run: RunDir, named: str) -> list[dict[str, Any]]:
    """The front of the run named, as it was when this run noted it first: it is part of what
    makes a search the same one, and the run named may go on, or away.
    """
    known: dict[str, list[dict[str, Any]]] = run.facts().get("start_from", {})
    if named in known:
        return known[named]
    earlier = RunDir(Path(named))
    try:
        points = earlier.read(earlier.front, "points")["points"]
    except RunError as error:
        raise RunError(f"search.start_from: {error}") from error
    return [{n: point[n] for n in ("architecture", "recipe")} for point in points]


def of_front(points: Iterable[Mapping[str, Any]], pool: Pool) -> Iterator[Start]:
    """The published students of a run that this search may propose, with their recipes where
    this search may propose those, too.
    """
    for point in points:
        architecture = Architecture.of(point["architecture"])
        if is_of(pool.architectures, architecture.as_dict()):
            recipe = Recipe.read(point["recipe"])
            yield Start(architecture, recipe if is_offered(recipe, pool) else None)


def is_of(space: Space, point: Mapping[str, Value]) -> bool:
    try:
        space.check(point)
    except UserError:
        return False
    return True


def is_offered(recipe: Recipe, pool: Pool) -> bool:
    if recipe.method not in pool.methods:
        return False
    training = is_of(pool.training_of(recipe.method), dict(recipe.training))
    return training and is_of(pool.methods[recipe.method], dict(recipe.knobs))
