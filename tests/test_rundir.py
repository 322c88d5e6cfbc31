"""The files of a run, and its one writer."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kdsearch.errors import RunError
from kdsearch.files import write_json
from kdsearch.rundir import FileLock, RunDir


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    folder = RunDir(tmp_path / "run")
    folder.root.mkdir()
    folder.config.write_text("seed: 0\n")
    return folder


WRITER = """
import os, signal, sys
from pathlib import Path
from kdsearch.rundir import RunDir

with RunDir(Path(sys.argv[1])).writing():
    print("writing", flush=True)
    if sys.stdin.readline() == "die\\n":
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("end", ["finish", "die"])
def test_one_writer_and_readers_see_it(run: RunDir, end: str) -> None:
    """A killed writer holds nothing."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(run.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None and writer.stdout.readline() == "writing\n"
    assert run.busy()
    with pytest.raises(RunError, match="another process is at work here.*kdsearch status"):
        run.writing().__enter__()
    writer.communicate(f"{end}\n", timeout=30)
    assert writer.returncode == (-signal.SIGKILL if end == "die" else 0)
    assert not run.busy()
    with run.writing():
        assert run.busy()
    assert not run.busy()


def test_the_lock_goes_also_after_an_error(run: RunDir) -> None:
    with pytest.raises(ZeroDivisionError), run.writing():
        raise ZeroDivisionError
    assert not run.busy()


def test_a_run_that_is_not_there_is_not_busy_and_not_made(tmp_path: Path) -> None:
    assert not RunDir(tmp_path / "none").busy()
    assert not (tmp_path / "none").exists()
    with RunDir(tmp_path / "new" / "run").writing():
        assert (tmp_path / "new" / "run").is_dir()


def test_reading_says_what_is_missing_and_the_way_out(tmp_path: Path, run: RunDir) -> None:
    none = RunDir(tmp_path / "none")
    with pytest.raises(RunError, match=f"{none.root}: no run here; .*--out {none.root}"):
        none.read(none.front)
    with pytest.raises(RunError, match="no front.json yet; .*kdsearch status.*kdsearch run"):
        run.read(run.front)
    write_json(run.audit, {"students": 3})
    assert run.read(run.audit, "students") == {"students": 3}


def test_facts_add_up(run: RunDir) -> None:
    assert run.facts() == {}
    run.note(data="abc", seconds=1.5)
    run.note(teacher="def", seconds=2.5)
    assert run.facts() == {"data": "abc", "teacher": "def", "seconds": 2.5}
    assert run.read(run.state) == run.facts()


def test_known_facts_are_not_written_again(run: RunDir) -> None:
    run.note(data="abc")
    before = run.state.stat().st_mtime_ns
    run.note(data="abc")
    assert run.state.stat().st_mtime_ns == before


def test_a_link_moves_on(run: RunDir, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
        run.link("teacher", tmp_path / name)
        assert (run.root / "teacher" / "file").read_text() == name
    assert (tmp_path / "one" / "file").exists()


def test_no_two_files_share_a_name(run: RunDir) -> None:
    paths = [run.config, run.state, run.progress, run.front, run.ledger, run.report]
    paths += [run.test_openings, run.journal("a"), run.journal("b"), run.trials("a")]
    paths += [run.trials("b"), run.student("s001"), run.student("s002")]
    assert len(set(paths)) == len(paths)
    assert all(run.root in path.parents for path in paths)


def test_what_is_no_link_is_left_alone(run: RunDir, tmp_path: Path) -> None:
    (run.root / "teacher").write_text("somebody's own")
    with pytest.raises(RunError, match=r"teacher: in the way of a link of this name"):
        run.link("teacher", tmp_path)
    assert (run.root / "teacher").read_text() == "somebody's own"


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_where_nothing_can_be_written_nobody_is_at_work(
    run: RunDir, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: object, **__: object) -> None:
        raise OSError(code, "?", str(run.root / ".lock"))

    monkeypatch.setattr(FileLock, "acquire", refusing)
    way_out = "make it writable, or name another folder with --out"
    words = {errno.EROFS: "read-only file system", errno.EACCES: "permission denied"}[code]
    with pytest.raises(RunError) as caught:
        run.writing().__enter__()
    assert str(caught.value) == f"{run.root}: cannot be written ({words}); {way_out}"
    assert not run.busy()
