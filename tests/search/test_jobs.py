"""Jobs of a search: rung 0 belongs to an architecture, every later one to a trial."""

from pathlib import Path

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.seeds import derive
from kdsearch.search.jobs import inherited_job, trial_job
from kdsearch.search.terms import Places
from kdsearch.search.trial import Trial

STUDENT = Architecture.of({"width": 2})
TRIAL = Trial(7, Candidate(STUDENT, Recipe("hard")))


def test_rung_0_is_the_same_job_whoever_asks() -> None:
    job = inherited_job(STUDENT, Path("inherited"))
    assert (job.rung, job.recipe, job.seed) == (0, None, 0)
    assert job.folder == f"inherited/{STUDENT.id}" and job.name == f"inherited {STUDENT.id}"
    other = inherited_job(Architecture.of({"width": 4}), Path("inherited"))
    assert other.folder != job.folder


def test_the_rungs_of_a_trial_share_folder_and_seed() -> None:
    first, second = (trial_job(TRIAL, rung, Places(None, Path("trials")), 3) for rung in (1, 2))
    assert (first.architecture, first.recipe) == (STUDENT, Recipe("hard"))
    assert first.folder == second.folder == "trials/0007"
    assert first.seed == second.seed == derive(3, "trial", 7)
    assert (first.name, second.name) == ("trial 7, rung 1", "trial 7, rung 2")
    assert (first.rung, second.rung) == (1, 2)
