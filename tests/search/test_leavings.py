"""Whose a folder is, and what can be read in it."""

from dataclasses import replace
from pathlib import Path

import pytest

from kdsearch.core.records import Architecture, Job, Recipe, Result
from kdsearch.errors import RunError
from kdsearch.files import write_json
from kdsearch.search.leavings import CLAIM, claim, is_claimed, read_result


@pytest.fixture
def job(tmp_path: Path) -> Job:
    student, recipe = Architecture.of({"a": 1}), Recipe.of("soften", {"temperature": 4.0})
    return Job("trial 7, rung 1", 1, student, recipe, 3, str(tmp_path / "0007"))


def files(job: Job) -> list[str]:
    return sorted(path.name for path in Path(job.folder).iterdir())


def left(job: Job) -> None:
    for name in ("rung1.json", "rung2.json", "checkpoint.safetensors", "notes.txt"):
        (Path(job.folder) / name).write_text("{}")


def test_a_folder_is_its_candidates_whatever_the_rung(job: Job) -> None:
    assert is_claimed(job) and claim(job) == "" and files(job) == [CLAIM]
    left(job)
    before = files(job)
    later = replace(job, name="trial 7, rung 2", rung=2)
    assert is_claimed(later) and claim(later) == "" and files(job) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"architecture": Architecture.of({"a": 2})},
        {"recipe": Recipe.of("soften", {"temperature": 2.0})},
        {"recipe": Recipe.of("soften", {"temperature": 4.0}, {"learning_rate": 0.1})},
        {"seed": 4},
        {"steps": 10},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_another_candidate_clears_it(job: Job, changed: dict) -> None:
    claim(job)
    left(job)
    other = replace(job, **changed)
    assert not is_claimed(other)
    line = f"{job.folder}: held another candidate's files; trial 7, rung 1 begins anew"
    assert claim(other) == line
    assert files(job) == [CLAIM, "notes.txt"]
    assert is_claimed(other) and not is_claimed(job)


@pytest.mark.parametrize("content", ["", "{", "\0" * 50, "[]"])
def test_a_claim_that_cannot_be_read_is_another_candidates(job: Job, content: str) -> None:
    claim(job)
    left(job)
    (Path(job.folder) / CLAIM).write_text(content)
    assert not is_claimed(job) and claim(job) and files(job) == [CLAIM, "notes.txt"]


def test_what_nobody_claimed_is_taken_up(job: Job) -> None:
    """Of a search that is older than claims."""
    Path(job.folder).mkdir()
    left(job)
    before = files(job)
    assert is_claimed(job) and claim(job) == "" and files(job) == sorted([*before, CLAIM])


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"job": "a"}', '{"what": 1}', "\0" * 9])
def test_a_result_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "rung1.json"
    path.write_text(content)
    with pytest.raises(RunError, match=f"^{path}: not .*; remove {path}, and the command"):
        read_result(path)
    write_json(path, (whole := Result("a", 1, "done", 0.5)).as_dict())
    assert read_result(path) == whole
