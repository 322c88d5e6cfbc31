"""Phases as a source of jobs: what is handed out, what waits, what is adopted from disk."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kdsearch.core.records import Architecture, Job, Recipe, Result
from kdsearch.errors import RunError, SearchError
from kdsearch.files import write_json
from kdsearch.search.rung import REFUSED, result_path, stored_result
from kdsearch.search.source import Phases


def job(folder: Path, name: str) -> Job:
    return Job(name, 1, Architecture.of({"a": 1}), Recipe("hard"), 0, str(folder / name))


def result(name: str, state: Any = "done") -> Result:
    return Result(name, 1, state, accuracy=0.5 if state == "done" else None)


class Story:
    """Phases by names of jobs; keeps what each phase was sent."""

    def __init__(self, folder: Path, *phases: str) -> None:
        self.folder = folder
        self.phases = phases
        self.sent: list[Mapping[str, Result]] = []

    def __call__(self) -> Iterator[Any]:
        for names in self.phases:
            self.sent.append((yield [job(self.folder, name) for name in names]))


def test_a_phase_waits_for_its_last_result(tmp_path: Path) -> None:
    story = Story(tmp_path, "ab", "c")
    source = Phases(story())
    assert [source.next().name, source.next().name] == ["a", "b"]
    assert source.next() == "wait"
    source.tell(result("b"))
    assert source.next() == "wait"
    source.tell(result("a"))
    assert source.next().name == "c"
    assert story.sent == [{"a": result("a"), "b": result("b")}]
    source.tell(result("c"))
    assert source.next() is None
    assert source.next() is None
    assert story.sent[1] == {"c": result("c")}


def test_phases_without_jobs_are_passed_through(tmp_path: Path) -> None:
    story = Story(tmp_path, "", "", "a", "")
    source = Phases(story())
    assert source.next().name == "a"
    source.tell(result("a"))
    assert source.next() is None
    assert [sorted(s) for s in story.sent] == [[], [], ["a"], []]
    assert Phases(Story(tmp_path)()).next() is None


@pytest.mark.parametrize("state", ["done", "diverged"])
def test_what_would_come_out_again_is_adopted(tmp_path: Path, state: str) -> None:
    stored = result("a", state)
    write_json(result_path(job(tmp_path, "a")), stored.as_dict())
    story = Story(tmp_path, "ab")
    source = Phases(story())
    assert source.next().name == "b"
    source.tell(result("b"))
    assert source.next() is None
    assert story.sent == [{"a": stored, "b": result("b")}]


@pytest.mark.parametrize("state", ["bug", "out of memory", "lost"])
def test_what_may_have_passed_is_tried_again(tmp_path: Path, state: str) -> None:
    """And what is on disk of it is gone, so that nobody takes it for the new result."""
    stale = job(tmp_path, "a")
    write_json(result_path(stale), result("a", state).as_dict())
    source = Phases(Story(tmp_path, "a")())
    assert source.next() == stale
    assert stored_result(stale) is None


def test_a_damaged_result_is_nobodys(tmp_path: Path) -> None:
    """It stays where it is: whoever does the job names it."""
    path = result_path(job(tmp_path, "a"))
    path.parent.mkdir()
    path.write_text('{"job": ')
    assert Phases(Story(tmp_path, "a")()).next() == job(tmp_path, "a")
    assert path.exists()


def test_what_a_disk_refused_ends_the_search_at_once(tmp_path: Path) -> None:
    source = Phases(Story(tmp_path, "ab")())
    source.next()
    refused = Result("a", 1, "bug", reason="x: no space left", details={REFUSED: True})
    with pytest.raises(RunError, match=r"^x: no space left$"):
        source.tell(refused)


def test_a_result_reads_back_as_it_was_written(tmp_path: Path) -> None:
    whole = Result("a", 1, "done", 0.25, 1.5, "why", {"curve": [[1, 0.5]]})
    write_json(result_path(job(tmp_path, "a")), whole.as_dict())
    assert stored_result(job(tmp_path, "a")) == whole
    assert stored_result(job(tmp_path, "b")) is None


def test_workers_lost_at_three_jobs_in_a_row_end_it(tmp_path: Path) -> None:
    """With a result between them they are the jobs' own affair."""
    source = Phases(Story(tmp_path, "abcdefg")())
    states = ("lost", "lost", "done", "bug", "lost")
    for name, state in zip("abcde", states, strict=True):
        source.next()
        source.tell(Result(name, 1, state, reason="it fell"))
    source.next()
    with pytest.raises(
        SearchError, match=r"3 jobs failed in a row, .*\(f\): it fell; the same"
    ):
        source.tell(Result("f", 1, "lost", reason="it fell"))


def test_a_search_whose_workers_are_lost_fails_no_trial(world: Any) -> None:
    def result(job: Job) -> Result:
        if job.rung:
            return Result(job.name, job.rung, "lost", reason="it fell")
        return world.result(job)

    with pytest.raises(SearchError, match="3 jobs failed in a row"):
        replace(world, result=result).run()
    assert "failed" not in {trial.state for trial in world.trials()}
    assert {trial.state for trial in world.run()} <= {"complete", "stopped"}
