"""What a run has no use for goes, all it found stays, and it goes on as if nothing happened."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kdsearch.core.progress import Silent
from kdsearch.errors import RunError
from kdsearch.files import write_bytes
from kdsearch.pipeline.clean import MAY_GO_ON, NEEDED, OTHER, OVER, TORN, clean, lines
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir
from kdsearch.search.rung import CHECKPOINT, STUDENT
from kdsearch.search.trial import Trial

Go = Callable[..., RunDir]


def contents(root: Path) -> dict[str, bytes]:
    """Every file below, but for the lock."""
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in root.rglob("*")
        if p.is_file() and not p.is_symlink() and p.name != ".lock"
    }


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    """Two searches: an earlier one, and 'now' with a running, a stopped, a failed and a
    complete trial, each with a checkpoint of 100 bytes."""
    run = RunDir(tmp_path / "run")
    run.root.mkdir()
    run.config.write_text("seed: 0\n")
    run.note(study="now", data=str(tmp_path / "store" / "data" / "d"))
    states = ("running", "stopped", "failed", "complete")
    for number in range(4):
        write_bytes(run.trials("now") / f"{number:04d}" / CHECKPOINT, b"x" * 100)
    write_bytes(run.trials("now") / "0003" / "rung1.json", b"{}")
    write_bytes(run.trials("now") / "0003" / STUDENT, b"s")
    write_bytes(run.trials("before") / "0000" / CHECKPOINT, b"x" * 30)
    write_bytes(run.trials("before") / "0001" / "seed1" / CHECKPOINT, b"x" * 20)
    write_bytes(run.trials("before") / "0001" / STUDENT, b"s")
    run.link("trials", run.trials("now"))

    def told(found: RunDir, study: str) -> list[Any]:
        assert (found.root, study) == (run.root, "now")
        return [Trial(n, None, state) for n, state in enumerate(states)]  # type: ignore[arg-type]

    monkeypatch.setattr("kdsearch.pipeline.clean.recorded", told)
    return run


def test_checkpoints_that_nobody_goes_on_from_are_removed(made: RunDir) -> None:
    before = contents(made.root)
    content = clean(made, dry=False)
    assert content["removed"] == {
        OTHER: {"files": 2, "bytes": 50},
        OVER: {"files": 2, "bytes": 200},
    }
    one = {"files": 1, "bytes": 100}
    assert content["kept"] == {NEEDED: one, MAY_GO_ON: one}
    gone = before.keys() - contents(made.root).keys()
    assert gone == {
        "trials-now/0001/checkpoint.safetensors",
        "trials-now/0002/checkpoint.safetensors",
        "trials-before/0000/checkpoint.safetensors",
        "trials-before/0001/seed1/checkpoint.safetensors",
    }
    assert clean(made, dry=False)["removed"] == {}


def test_all_leaves_only_what_is_under_way(made: RunDir) -> None:
    content = clean(made, every=True, dry=False)
    assert content["removed"][MAY_GO_ON] == {"files": 1, "bytes": 100}
    assert list(content["kept"]) == [NEEDED]
    assert [p for p in contents(made.root) if p.endswith(CHECKPOINT)] == [
        f"trials-now/0000/{CHECKPOINT}"
    ]
    assert f"trials-now/0003/{STUDENT}" in contents(made.root)


def test_a_dry_run_says_the_same_and_removes_nothing(made: RunDir) -> None:
    before = contents(made.root)
    would = clean(made, dry=True)
    assert contents(made.root) == before
    assert lines(would)[0] == f"{made.root}: would free 250 B"
    did = clean(made, dry=False)
    assert did["removed"] == would["removed"]
    assert lines(did)[0] == f"{made.root}: freed 250 B"
    assert lines(did)[-2:] == [
        "kept: 1 checkpoint of trials under way, 100 B",
        "kept: 1 checkpoint of trials that may become finalists, 100 B; with --all they go, "
        "too",
    ]


def test_files_that_a_kill_left_half_written_go(made: RunDir) -> None:
    folder = made.trials("now") / "0000"
    write_bytes(folder / f".{CHECKPOINT}.abc123", b"x" * 7)
    write_bytes(folder / ".rung1.json.abc123", b"x" * 2)
    write_bytes(folder / ".mine", b"x")
    assert clean(made, dry=False)["removed"][TORN] == {"files": 2, "bytes": 9}
    assert sorted(p.name for p in folder.iterdir()) == [".mine", CHECKPOINT]


def test_no_link_is_followed(made: RunDir, tmp_path: Path) -> None:
    """Neither a trial's folder, nor a search's, nor a checkpoint that lie elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    for place in ("0000", "0001", "file"):
        write_bytes(elsewhere / place / CHECKPOINT, b"x" * 1000)
    (made.root / "trials-linked").symlink_to(elsewhere, target_is_directory=True)
    (made.trials("before") / "0005").symlink_to(elsewhere / "0001", target_is_directory=True)
    stopped = made.trials("now") / "0001" / CHECKPOINT
    stopped.unlink()
    stopped.symlink_to(elsewhere / "file" / CHECKPOINT)
    before = contents(elsewhere)
    content = clean(made, dry=False)
    assert contents(elsewhere) == before
    assert stopped.is_symlink()
    assert content["removed"][OVER] == {"files": 1, "bytes": 100}
    assert content["links"] == [str(made.root / "trials-linked")]
    assert any("trials-linked is a link to elsewhere" in line for line in lines(content))


def test_what_nobody_finished_in_the_store_is_named_and_left(
    made: RunDir, tmp_path: Path
) -> None:
    partial = tmp_path / "store" / "teacher" / "abc.partial"
    write_bytes(partial / CHECKPOINT, b"x" * 2048)
    content = clean(made, dry=False)
    assert content["store"] == [{"folder": str(partial), "bytes": 2048}]
    assert (partial / CHECKPOINT).exists()
    assert f"left alone: {partial}, 2.0 kB, which nobody finished" in lines(content)[-1]


def test_a_run_at_work_is_refused(made: RunDir) -> None:
    before = contents(made.root)
    with made.writing(), pytest.raises(RunError, match="another process is at work here"):
        clean(made, dry=False)
    assert contents(made.root) == before


def test_where_there_is_no_run_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run here"):
        clean(RunDir(tmp_path / "none"), dry=False)
    assert not (tmp_path / "none").exists()


def test_a_run_without_a_search_has_nothing_to_clean(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    run.note(data=str(tmp_path / "store" / "data" / "d"))
    run.config.write_text("seed: 0\n")
    content = clean(run, dry=False)
    assert (content["removed"], content["kept"], content["store"]) == ({}, {}, [])


# Whole runs.


class Heard(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.tasks: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def start(self, task: str, total: int) -> None:
        self.tasks.append(task)


@pytest.fixture
def searched_before(copied: RunDir) -> RunDir:
    """The finished run, with another search's folder beside its own."""
    other = copied.trials("0123456789abcdef")
    shutil.copytree(copied.trials(copied.facts()["study"]), other)
    write_bytes(other / "0000" / CHECKPOINT, b"x" * 50)
    return copied


def test_a_cleaned_run_says_that_everything_was_done(
    searched_before: RunDir, tiny: Any, go: Go
) -> None:
    run = searched_before
    assert clean(run, dry=False)["removed"][OTHER]["files"] > 0
    before = {name: contents(run.root / name) for name in ("trials", "students")}
    heard = Heard()
    go(tiny(), run.root, heard)
    assert {name: contents(run.root / name) for name in before} == before
    assert heard.tasks == []
    assert any("nothing was done again" in line for line in heard.lines)


@pytest.fixture(scope="module")
def more(tiny: Any) -> dict[str, Any]:
    """More trials and more finalists than the finished run's."""
    config: dict[str, Any] = tiny(search={"trials": 12}, finalists={"count": 6})
    return config


@pytest.fixture(scope="module")
def untouched(finished: RunDir, more: Any, go: Go, tmp_path_factory: Any) -> RunDir:
    """The finished run, gone on with as it is."""
    root = tmp_path_factory.mktemp("untouched") / "run"
    shutil.copytree(finished.root, root, symlinks=True)
    return go(more, root)


@pytest.mark.slow
@pytest.mark.parametrize("every", [False, True])
def test_a_cleaned_run_goes_on_as_one_that_was_not(
    every: bool, searched_before: RunDir, untouched: RunDir, more: Any, go: Go
) -> None:
    """With checkpoints gone and with them there."""
    run = searched_before
    assert clean(run, every=every, dry=False)["removed"]
    left = list(run.trials(run.facts()["study"]).rglob(CHECKPOINT))
    assert bool(left) is not every
    cleaned = go(more, run.root)
    assert trials(cleaned) == trials(untouched)
    assert len(trials(cleaned)) == 12
    fronts = [found.read(found.front)["points"] for found in (cleaned, untouched)]
    ours, theirs = ({p["id"]: p["search_accuracy"] for p in front} for front in fronts)
    assert ours == theirs
