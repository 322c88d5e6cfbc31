"""What is searched: students × methods × the knobs of each method."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.space import Choice, Space, Value


@dataclass(frozen=True, slots=True)
class Pool:
    """A candidate is an architecture, a method, and a value for each of that method's knobs."""

    architectures: Space
    methods: Mapping[str, Space]

    def recipe_axes(self) -> Choice:
        return Choice(tuple(self.methods))

    def draw_recipe(self, rng: random.Random) -> Recipe:
        method = str(rng.choice(list(self.methods)))
        return Recipe.of(method, self.methods[method].draw(rng))


def as_parameters(candidate: Candidate) -> dict[str, Value]:
    """Flat names for a study: 'stage1.width', 'method', 'soften.temperature'."""
    recipe = candidate.recipe
    return (
        candidate.architecture.as_dict()
        | {"method": recipe.method}
        | {f"{recipe.method}.{knob}": value for knob, value in recipe.knobs}
    )


def as_candidate(parameters: Mapping[str, Value]) -> Candidate:
    """The inverse of `as_parameters`."""
    method = str(parameters["method"])
    knobs = {
        name.removeprefix(f"{method}."): value
        for name, value in parameters.items()
        if name.startswith(f"{method}.")
    }
    own = {"method", *(f"{method}.{knob}" for knob in knobs)}
    architecture = {name: value for name, value in parameters.items() if name not in own}
    return Candidate(Architecture.of(architecture), Recipe.of(method, knobs))
