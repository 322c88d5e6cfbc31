"""Which students teachers are compared by."""

import pytest

from kdsearch.core.records import Architecture, Recipe
from kdsearch.core.space import Choice, Space
from kdsearch.errors import UserError
from kdsearch.search.teachers import EVERY, HELD_OUT, Lessons, chosen

LARGE = Space({f"stage{s}.width": Choice(tuple(range(1, 11))) for s in (1, 2, 3)})
SMALL = Space({"width": Choice((1, 2, 3, 4, 5, 6)), "depth": Choice((1, 2, 3, 4))})


@pytest.mark.parametrize("space", [LARGE, SMALL])
def test_more_students_begin_with_the_same_and_hold_out_the_same(space: Space) -> None:
    few, many = chosen(space, 4, 0), chosen(space, 12, 0)
    assert many.students[:4] == few.students and many.held_out == few.held_out
    assert len(set(many.students)) == 12
    assert chosen(space, 4, 1).students != few.students


def test_one_in_three_is_held_out() -> None:
    found = chosen(LARGE, 12, 0)
    assert len(found.held_out) == HELD_OUT
    out = [student in found.held_out for student in found.students]
    assert out == [at % EVERY == EVERY - 1 for at in range(12)]


def test_a_small_space_holds_out_a_tenth_at_most() -> None:
    found = chosen(SMALL, 12, 0)
    assert len(found.held_out) == 2
    assert sum(student in found.held_out for student in found.students) == 2


@pytest.mark.parametrize("count", [0, 13])
def test_half_of_the_space_at_most(count: int) -> None:
    with pytest.raises(UserError, match=f"--students {count}: the space has 24; needs"):
        chosen(SMALL, count, 0)


def test_a_job_has_the_same_seed_whoever_teaches(tmp_path) -> None:
    student, other = (Architecture.of({"width": w}) for w in (1, 2))
    recipe = Recipe.of("soften", {})
    jobs = [
        Lessons(teacher, number, 7, recipe, tmp_path / teacher).job(architecture)
        for teacher, number, architecture in (
            ("plain", 0, student), ("generic", 0, student), ("plain", 1, student),
            ("plain", 0, other),
        )
    ]  # fmt: skip
    first, elsewhere, later, another = jobs
    assert first.seed == elsewhere.seed == another.seed != later.seed
    assert len({job.folder for job in jobs}) == len({job.name for job in jobs}) == 4
