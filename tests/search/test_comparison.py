"""The jobs of a comparison: pairs by seed, equal epochs, then equal seconds."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from kdsearch.core.records import Architecture, Job, Recipe, Result
from kdsearch.files import write_json
from kdsearch.search.comparison import Comparison, equal_seconds, phases
from kdsearch.search.rung import result_path
from kdsearch.search.source import Phases

STEPS = {"hard": 30, "soften": 20, "dist@tau=1": 15}


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    recipes = {
        "hard": Recipe("hard"),
        "soften": Recipe("soften"),
        "dist@tau=1": Recipe.of("dist", {"tau": 1}),
    }
    places = {"hard": "hard", "soften": "soften-8f", "dist@tau=1": "dist@tau=1"}
    return Comparison(Architecture.of({"a": 1}), recipes, places, 2, 7, tmp_path)


def work(comparison: Comparison, steps: Mapping[str, int]) -> list[Job]:
    """The jobs that an engine would be given, in order; each is done."""
    source, given = Phases(phases(comparison, lambda: steps)), []
    while (job := source.next()) is not None:
        assert isinstance(job, Job)
        given.append(job)
        result = Result(job.name, 1, "done", accuracy=0.5)
        write_json(result_path(job), result.as_dict())
        source.tell(result)
    return given


def test_whole_pairs_come_first(comparison: Comparison) -> None:
    found = [(job.recipe, job.seed) for job in comparison.jobs()]
    first, second = comparison.job("hard", 0).seed, comparison.job("hard", 1).seed
    recipes = list(comparison.recipes.values())
    assert found == [(r, first) for r in recipes] + [(r, second) for r in recipes]
    assert first != second


def test_seeds_are_the_comparisons_own(comparison: Comparison) -> None:
    other = replace(comparison, seed=8)
    assert comparison.job("hard", 0).seed != other.job("hard", 0).seed
    assert comparison.job("hard", 0).seed == replace(comparison, seeds=5).job("hard", 0).seed


def test_every_job_has_a_name_and_a_folder_of_its_own(comparison: Comparison) -> None:
    jobs = [*comparison.jobs(), *comparison.jobs(STEPS)[1:3], *comparison.jobs(STEPS)[4:]]
    assert len({job.name for job in jobs}) == len({job.folder for job in jobs}) == len(jobs)
    assert all(Path(job.folder).is_relative_to(comparison.folder) for job in jobs)


def test_another_recipe_of_the_same_name_lies_elsewhere(comparison: Comparison) -> None:
    folder = Path(comparison.job("soften", 1).folder)
    assert folder.relative_to(comparison.folder) == Path("soften-8f/epochs-all/seed1")


def test_at_equal_seconds_a_schedule_is_a_methods_own(comparison: Comparison) -> None:
    jobs = {job.recipe.method: job for job in comparison.jobs(STEPS) if job.recipe}
    assert {name: job.steps for name, job in jobs.items()} == {
        "hard": None, "soften": 20, "dist": 15,
    }  # fmt: skip
    assert "seconds-20" in jobs["soften"].folder
    assert comparison.job("soften", 0, 20).seed == comparison.job("soften", 0).seed


def test_the_first_is_not_trained_twice(comparison: Comparison) -> None:
    given = [job.name for job in work(comparison, STEPS)]
    assert len(given) == len(set(given)) == 2 * 3 + 2 * 2
    assert sum(name.startswith("hard, ") for name in given) == 2
    assert work(comparison, STEPS) == []


def test_steps_are_asked_for_after_equal_epochs(comparison: Comparison) -> None:
    asked: list[int] = []

    def steps() -> Mapping[str, int]:
        asked.append(sum(result_path(job).exists() for job in comparison.jobs()))
        return STEPS

    source = Phases(phases(comparison, steps))
    while (job := source.next()) is not None:
        assert isinstance(job, Job)
        result = Result(job.name, 1, "done", accuracy=0.5)
        write_json(result_path(job), result.as_dict())
        source.tell(result)
    assert asked == [6]


def test_a_method_without_step_time_has_no_runs_at_equal_seconds(
    comparison: Comparison,
) -> None:
    given = [job.name for job in work(comparison, {"hard": 30, "soften": 20})]
    assert [name for name in given if "seconds" in name] == [
        "soften, seed 0, equal seconds",
        "soften, seed 1, equal seconds",
    ]


def test_equal_seconds_are_steps_by_step_time() -> None:
    ratios = {"hard": 1.0, "soften": 1.5, "slow": 900.0, "fast": 0.8}
    assert equal_seconds(ratios, 300) == {"hard": 300, "soften": 200, "slow": 1, "fast": 375}
