"""Nothing is tried twice while there is something that was not tried."""

import random
from pathlib import Path

import pytest

from kdsearch.core.objectives import KNOWN
from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.space import Choice, Space
from kdsearch.search.pool import Pool
from kdsearch.search.study.journal import Study
from kdsearch.search.study.mirror import Question
from kdsearch.search.study.proposer import Proposer
from kdsearch.search.study.samplers import SAMPLERS

BOTH = (KNOWN["accuracy"], KNOWN["macs"])
POOL = Pool(
    Space({"depth": Choice((1, 2, 3)), "width": Choice((2, 4, 8, 16))}),
    {"hard": Space({}), "soften": Space({"weight": Choice((0.5,))})},
)


def proposer(folder: Path, sampler: str, pool: Pool = POOL) -> Proposer:
    study = Study(folder / "study.journal", BOTH)
    return Proposer(study, Question(pool, BOTH, sampler, 24), (), seed=3)


@pytest.mark.parametrize(
    "sampler", [name for name, one in SAMPLERS.items() if not one.enumerates]
)
def test_every_candidate_of_a_small_pool_is_proposed_once(sampler: str, tmp_path: Path) -> None:
    asked = proposer(tmp_path, sampler)
    trials = [asked.propose(0, None) for _ in range(24)]
    assert len({t.candidate for t in trials if t}) == 24


@pytest.mark.parametrize("sampler", ["tpe", "gp"])
def test_of_a_few_architectures_each_is_proposed_with_each_recipe_that_comes(
    sampler: str, tmp_path: Path
) -> None:
    pool = Pool(POOL.architectures, {"hard": Space({})})
    asked = proposer(tmp_path, sampler, pool)
    among = [Architecture.of({"depth": d, "width": 8}) for d in (1, 2, 3)]
    trials = [asked.propose(0, among) for _ in range(3)]
    assert {t.candidate.architecture for t in trials if t} == set(among)
    assert asked.propose(0, among) is not None  # all were tried: one is tried again


def test_the_nearest_that_was_not_tried_takes_the_place_of_one_that_may_not(
    tmp_path: Path,
) -> None:
    asked = proposer(tmp_path, "random")
    wanted = Candidate(Architecture.of({"depth": 2, "width": 8}), Recipe.of("hard", {}))
    near, far = (Architecture.of({"depth": 2, "width": w}) for w in (16, 2))
    rng = random.Random(0)
    assert asked.nearest(wanted, [far, near], rng) == Candidate(near, wanted.recipe)
    asked.study.candidates.add(Candidate(near, wanted.recipe))
    assert asked.nearest(wanted, [far, near], rng) == Candidate(far, wanted.recipe)
