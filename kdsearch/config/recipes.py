"""A recipe in one word: 'soften', or 'soften@temperature=2@weight=0.5'."""

from collections.abc import Container

from kdsearch.config.knobs import knob_space, knob_spaces, with_largest
from kdsearch.config.models import GRID, Config, Distill
from kdsearch.core.records import Recipe
from kdsearch.core.space import Choice, Space, Value
from kdsearch.distill.kinds import check_values, kind
from kdsearch.errors import UserError
from kdsearch.spaces.marked import read_value

AT = "@"
"""Between a method and a knob's value."""


def recipe_of(distill: Distill, text: str) -> Recipe:
    """A recipe from 'soften' or 'soften@temperature=2': the config's single values hold.

    Raises:
        UserError: no such method, knob or value.
    """
    parts = text.split(AT)
    found = kind(parts[0].strip())
    given: dict[str, Value] = {}
    for part in parts[1:]:
        knob, value = assigned(part, text)
        if knob in given:
            raise UserError(f"'{text}': {knob} is given twice; name it once")
        given[knob] = value
    check_values(found, given)
    return Recipe.of(found.name, {**fixed(distill, found.name, given), **given})


def fixed(distill: Distill, method: str, given: Container[str]) -> dict[str, Value]:
    """The single values that the config leaves to a method's knobs.

    Raises:
        UserError: it leaves several to a knob that is not given.
    """
    values: dict[str, Value] = {}
    for knob, axis in knob_space(distill, method).axes.items():
        if isinstance(axis, Choice) and len(axis.values) == 1:
            values[knob] = axis.values[0]
        elif f"{method}.{knob}" in distill.knobs and knob not in given:
            one = axis.values[0] if isinstance(axis, Choice) else axis.low
            raise UserError(
                f"distill.knobs.{method}.{knob} leaves a choice ({axis}); "
                f"one recipe needs one value, for example [{one}]"
            )
    return values


def searched_methods(config: Config) -> dict[str, Space]:
    """What a search varies of each method, by name: of a grid nothing."""
    if config.search.sampler == GRID:
        return one_recipe(config.distill)
    return knob_spaces(config.distill)


def one_recipe(distill: Distill) -> dict[str, Space]:
    """The first method with what the config fixes of its knobs; those that it leaves open are
    no axes, so that they take the method's own defaults.

    Raises:
        UserError: the config gives a knob several values.
    """
    method = distill.names[0]
    axes = {knob: Choice((value,)) for knob, value in fixed(distill, method, ()).items()}
    return {method: with_largest(method, Space(axes))}


def assigned(part: str, text: str) -> tuple[str, Value]:
    knob, equals, value = part.partition("=")
    if not equals:
        raise UserError(f"'{text}': after {AT} comes knob=value, for example soften@weight=0.5")
    read = read_value(value, text)
    if not isinstance(read, int | float | str):
        raise UserError(f"'{text}': {knob} needs one value")
    return knob.strip(), read
