"""What is searched: students × methods × the knobs of each method."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from kdsearch.core.records import Candidate, Recipe
from kdsearch.core.space import Space, Value


@dataclass(frozen=True, slots=True)
class Pool:
    """A candidate is an architecture, a method, and a value for each of that method's knobs."""

    architectures: Space
    methods: Mapping[str, Space]

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
