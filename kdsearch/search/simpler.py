"""Simpler searches to hold a search against: each gives up one thing that it does.

Random search is the first of them (Li & Talwalkar, 2019, arXiv:1902.07638); the others search
one half with the other one fixed, or do without the teacher.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kdsearch.core.records import Candidate
from kdsearch.core.space import Choice, Space, Value
from kdsearch.search.pool import Pool

SEARCH = "search"
RANDOM = "random"
WITHOUT_TEACHER = "hard"
"""The method that learns from labels alone."""


@dataclass(frozen=True, slots=True)
class Arm:
    name: str
    about: str
    sampler: str
    pool: Pool
    unlike: str = ""
    """Why it would be no other search; empty where it is one."""


@dataclass(frozen=True, slots=True)
class Halves:
    """What is fixed where only one half is searched."""

    default: Mapping[str, Space]
    """One method with one value for each knob that is not left to its own default."""
    knee: Candidate
    """The student nearest to the ideal on the search's own front, as it was taught."""
    labels: Space
    """The knobs of the method that does without a teacher."""


def arms(pool: Pool, sampler: str, halves: Halves) -> Iterator[Arm]:
    """The search itself first, then the simpler ones."""
    yield Arm(SEARCH, "the search itself, with other seeds", sampler, pool)
    is_random = "the search draws at random itself" if sampler == RANDOM else ""
    yield Arm(RANDOM, "the same candidates, drawn at random", RANDOM, pool, is_random)
    one_recipe = "the search has one recipe" if has_one_recipe(pool) else ""
    default = Pool(pool.architectures, halves.default, taught=pool.taught)
    (method,) = halves.default
    about = f"students alone; recipe: {method}, its defaults"
    yield Arm("recipe-default", about, sampler, default, one_recipe)
    knee = with_recipe(pool, halves.knee)
    about = f"students alone; recipe: that of the knee ({halves.knee.recipe.method})"
    same = "the knee's recipe is that of recipe-default" if knee == default else ""
    yield Arm("recipe-knee", about, sampler, knee, one_recipe or same)
    alone = "the space has one student" if pool.architectures.count() == 1 else ""
    student = with_architecture(pool, halves.knee)
    about = "recipes alone; student: the knee"
    yield Arm("student-knee", about, sampler, student, one_recipe or alone)
    labels = Pool(pool.architectures, {WITHOUT_TEACHER: halves.labels}, pool.training)
    only = "the search has no other method" if set(pool.methods) == {WITHOUT_TEACHER} else ""
    yield Arm("no-teacher", "labels alone, without a teacher", sampler, labels, only)


def has_one_recipe(pool: Pool) -> bool:
    axes = [
        *pool.training.axes.values(),
        *(a for s in pool.methods.values() for a in s.axes.values()),
    ]
    single = all(isinstance(axis, Choice) and len(axis.values) == 1 for axis in axes)
    return len(pool.methods) == 1 and single


def with_recipe(pool: Pool, candidate: Candidate) -> Pool:
    """Every student, taught as this one."""
    recipe = candidate.recipe
    methods = {recipe.method: fixed(dict(recipe.knobs))}
    return Pool(pool.architectures, methods, fixed(dict(recipe.training)), pool.taught)


def with_architecture(pool: Pool, candidate: Candidate) -> Pool:
    """This student, taught in every way."""
    student = fixed({n: candidate.architecture[n] for n in pool.architectures.axes})
    return Pool(student, pool.methods, pool.training, pool.taught)


def fixed(point: Mapping[str, Value]) -> Space:
    return Space({name: Choice((value,)) for name, value in point.items()})
