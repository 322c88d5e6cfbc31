"""The students that teachers are compared by, and their trainings."""

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from kdsearch.core.records import Architecture, Job, Recipe
from kdsearch.core.seeds import derive
from kdsearch.core.space import Space
from kdsearch.errors import UserError

HELD_OUT = 32
"""At most so many students are never drawn while a teacher is trained, whatever is compared,"""
SHARE = 10
"""and at most one in so many of the space."""
EVERY = 3
"""One in so many of the students compared is one of those."""


class Chosen(NamedTuple):
    students: tuple[Architecture, ...]
    """Those compared."""
    held_out: tuple[Architecture, ...]
    """No teacher draws these while it is trained; more than are compared, maybe."""


def chosen(space: Space, count: int, seed: int) -> Chosen:
    """Distinct students, evenly at random, one in three held out.

    The first of many are the same as of few, and those held out do not depend on the count, so
    that comparing more of them trains no teacher again.

    Raises:
        UserError: more than half of the space.
    """
    whole = space.count()
    if not 1 <= count <= max(1, whole // 2):
        raise UserError(
            f"--students {count}: the space has {whole}; needs at least 1 and at most half"
        )
    kept = min(HELD_OUT, whole // SHARE)
    rng = random.Random(derive(seed, "students held out"))
    held_out = tuple(islice(distinct(space, rng, ()), kept))
    rng = random.Random(derive(seed, "students compared"))
    others, reserve = distinct(space, rng, held_out), iter(held_out)
    students = []
    for at in range(count):
        from_reserve = next(reserve, None) if at % EVERY == EVERY - 1 else None
        students.append(next(others) if from_reserve is None else from_reserve)
    return Chosen(tuple(students), held_out)


def distinct(
    space: Space, rng: random.Random, without: Collection[Architecture]
) -> Iterator[Architecture]:
    """Without an end: ask for fewer than there are."""
    known = set(without)
    while True:
        found = Architecture.of(space.draw(rng))
        if found not in known:
            known.add(found)
            yield found


@dataclass(frozen=True, slots=True)
class Lessons:
    """Students taught by one teacher, from fresh weights, with one seed."""

    teacher: str
    """As messages call it."""
    number: int
    """Of the seed, which is the same for all teachers."""
    seed: int
    recipe: Recipe
    folder: Path
    """Of this teacher and recipe."""

    def job(self, architecture: Architecture) -> Job:
        return Job(
            name=f"{self.teacher}, student {architecture.id}, seed {self.number}",
            rung=1,
            architecture=architecture,
            recipe=self.recipe,
            seed=derive(self.seed, "teachers' students", self.number),
            folder=str(self.folder / architecture.id / f"seed{self.number}"),
        )

    def jobs(self, architectures: Sequence[Architecture]) -> list[Job]:
        return [self.job(architecture) for architecture in architectures]
