"""What is searched: students × methods × the knobs of each method."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.seeds import derive
from kdsearch.core.space import Space, Value


@dataclass(frozen=True, slots=True)
class Pool:
    """A candidate is an architecture, a method, and a value for each of that method's knobs."""

    architectures: Space
    methods: Mapping[str, Space]
    training: Space = Space({})
    """What a recipe may change of the training, see `Recipe.training`."""

    def draw_recipe(self, rng: random.Random) -> Recipe:
        method = str(rng.choice(list(self.methods)))
        knobs = self.methods[method].draw(rng)
        return Recipe.of(method, knobs, self.training.draw(rng))


def start_point(pool: Pool, number: int, seed: int) -> Candidate | None:
    """The first two candidates, smallest and largest: a front spans the whole space."""
    ends = (pool.architectures.smallest, pool.architectures.largest)
    if number >= len(ends):
        return None
    recipe = pool.draw_recipe(random.Random(derive(seed, "recipe")))
    return Candidate(Architecture.of(ends[number]()), recipe)


def as_parameters(candidate: Candidate) -> dict[str, Value]:
    """Flat names for a study: 'stage1.width', 'method', 'soften.temperature', 'learning_rate'."""
    recipe = candidate.recipe
    return (
        candidate.architecture.as_dict()
        | {"method": recipe.method}
        | {f"{recipe.method}.{knob}": value for knob, value in recipe.knobs}
        | dict(recipe.training)
    )
