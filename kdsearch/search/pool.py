"""What is searched: students × methods × the knobs of each method × the training."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.space import Space, Value

TEACHER = "teacher"
"""The training axis that names one of several teachers."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A candidate is an architecture, a method, and a value for each axis of that method."""

    architectures: Space
    methods: Mapping[str, Space]
    training: Space = Space({})
    """What a recipe may change of the training, see `Recipe.training`."""
    taught: frozenset[str] = frozenset()
    """The methods to which it matters who teaches; the others have no axis 'teacher'."""

    def training_of(self, method: str) -> Space:
        """What a recipe with this method may change of the training."""
        if method in self.taught:
            return self.training
        return Space({n: axis for n, axis in self.training.axes.items() if n != TEACHER})

    def draw_recipe(self, rng: random.Random) -> Recipe:
        method = str(rng.choice(list(self.methods)))
        knobs = self.methods[method].draw(rng)
        return Recipe.of(method, knobs, self.training_of(method).draw(rng))

    def step(self, candidate: Candidate, rng: random.Random) -> Candidate:
        """The candidate with one axis drawn anew; a new method brings knobs of its own."""
        architecture, recipe = candidate.architecture.as_dict(), candidate.recipe
        knobs, training = dict(recipe.knobs), dict(recipe.training)
        parts = (
            (architecture, self.architectures),
            (knobs, self.methods[recipe.method]),
            (training, self.training_of(recipe.method)),
        )
        axes = [(values, name, axis) for values, s in parts for name, axis in s.axes.items()]
        at = rng.randrange(len(axes) + (len(self.methods) > 1))
        if at == len(axes):
            return Candidate(candidate.architecture, self.draw_recipe(rng))
        values, name, axis = axes[at]
        values[name] = axis.draw(rng)
        return Candidate(
            Architecture.of(architecture), Recipe.of(recipe.method, knobs, training)
        )


def teacher_of(recipe: Recipe | None) -> str:
    """The name of the teacher that a recipe asks for: the first, unless it says another."""
    return TEACHER if recipe is None else str(dict(recipe.training).get(TEACHER, TEACHER))


def as_parameters(candidate: Candidate) -> dict[str, Value]:
    """Flat names: 'stage1.width', 'method', 'soften.temperature', 'learning_rate'."""
    recipe = candidate.recipe
    return (
        candidate.architecture.as_dict()
        | {"method": recipe.method}
        | {f"{recipe.method}.{knob}": value for knob, value in recipe.knobs}
        | dict(recipe.training)
    )
