"""Which simpler searches there are, what each fixes, and when it would be the search itself."""

from dataclasses import replace

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.space import Choice, Range, Space
from kdsearch.search.pool import Pool
from kdsearch.search.simpler import Arm, Halves, arms

STUDENTS = Space({"width": Choice((2, 4, 8)), "depth": Choice((1, 2))})
METHODS = {"soften": Space({"temperature": Range(1, 10)}), "hard": Space({})}
TRAINING = Space({"learning_rate": Choice((0.01, 0.1)), "teacher": Choice(("teacher", "big"))})
POOL = Pool(STUDENTS, METHODS, TRAINING, frozenset({"soften"}))
KNEE = Candidate(
    Architecture.of({"width": 4, "depth": 2}),
    Recipe.of("soften", {"temperature": 3.5}, {"learning_rate": 0.1, "teacher": "big"}),
)
HALVES = Halves({"soften": Space({})}, KNEE, Space({}))


def by_name(pool: Pool, sampler: str = "tpe") -> dict[str, Arm]:
    return {arm.name: arm for arm in arms(pool, sampler, HALVES)}


def test_each_gives_up_one_thing() -> None:
    found = by_name(POOL)
    assert list(found) == [
        "search", "random", "recipe-default", "recipe-knee", "student-knee", "no-teacher",
    ]  # fmt: skip
    assert not any(arm.unlike for arm in found.values())
    assert found["search"].pool == found["random"].pool == POOL
    samplers = {name: arm.sampler for name, arm in found.items()}
    assert samplers == dict.fromkeys(found, "tpe") | {"random": "random"}


def test_students_alone_are_taught_by_one_recipe() -> None:
    found = by_name(POOL)
    default, knee = found["recipe-default"].pool, found["recipe-knee"].pool
    assert default.architectures == knee.architectures == STUDENTS
    assert default.methods == {"soften": Space({})} and default.training == Space({})
    assert knee.methods == {"soften": Space({"temperature": Choice((3.5,))})}
    assert knee.training_of("soften") == Space(
        {"learning_rate": Choice((0.1,)), "teacher": Choice(("big",))}
    )
    assert "soften" in found["recipe-default"].about and "soften" in found["recipe-knee"].about


def test_recipes_alone_teach_one_student() -> None:
    pool = by_name(POOL)["student-knee"].pool
    assert list(pool.architectures.points()) == [{"width": 4, "depth": 2}]
    assert pool == replace(POOL, architectures=pool.architectures)


def test_without_a_teacher_nobody_is_asked_for_one() -> None:
    pool = by_name(POOL)["no-teacher"].pool
    assert pool.architectures == STUDENTS and pool.methods == {"hard": Space({})}
    assert list(pool.training_of("hard").axes) == ["learning_rate"]


def unlike(pool: Pool, sampler: str = "tpe") -> set[str]:
    return {name for name, arm in by_name(pool, sampler).items() if arm.unlike}


def test_what_would_be_the_search_itself_is_left_out_with_its_reason() -> None:
    assert unlike(POOL, "random") == {"random"}
    one = Pool(STUDENTS, {"soften": Space({"temperature": Choice((2.0,))})})
    assert unlike(one, "grid") == {"recipe-default", "recipe-knee", "student-knee"}
    labels = Pool(STUDENTS, {"hard": Space({})}, Space({"learning_rate": Range(0.01, 1)}))
    assert unlike(labels) == {"no-teacher"}
    alone = replace(POOL, architectures=Space({"width": Choice((4,)), "depth": Choice((2,))}))
    assert unlike(alone) == {"student-knee"}
    assert by_name(alone)["student-knee"].unlike == "the space has one student"
