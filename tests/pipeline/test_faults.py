"""Disks, clocks and files that fail around a real run: one line, and it can be gone on with."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kdsearch import cli
from kdsearch.files import read_json
from kdsearch.pipeline.heartbeat import Heartbeat
from kdsearch.pipeline.status import lines, status
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir
from kdsearch.search.study.journal import read_trials

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
GO_ON = "and the same command goes on from here"
SEARCH = {"screen_layers": 9, "rungs": [0.2, 0.6, 1.0], "reduction": 1.0}
"""All climb."""


class Ended(NamedTuple):
    code: int
    last: str
    """Line on stderr."""
    err: str


class Mine(NamedTuple):
    """A run of the test's own."""

    run: RunDir
    config: Path

    @property
    def words(self) -> list[str]:
        return ["run", str(self.config), "--out", str(self.run.root), "--until", "search"]

    def trials_of(self) -> Path:
        return self.run.trials(self.run.facts()["study"])

    def journal(self) -> Path:
        return self.run.journal(self.run.facts()["study"])


def begun(config: dict[str, Any], store: Path, folder: Path) -> Mine:
    """With a store of its own, in which no student has been scored yet."""
    made, own = Mine(RunDir(folder / "run"), folder / "tiny.yaml"), folder / "store"
    for stage in ("data", "teacher", "supernet"):
        shutil.copytree(store / stage, own / stage)
    made.config.write_text(json.dumps({**config, "store": str(own)}))
    return made


@pytest.fixture
def mine(tiny: Any, finished: RunDir, store: Path, tmp_path: Path) -> Mine:
    return begun(tiny(search=SEARCH), store, tmp_path)


@pytest.fixture(scope="session")
def whole(tiny: Any, finished: RunDir, store: Path, tmp_path_factory: Any) -> Mine:
    """Searched to the end; nothing failed. Tests read it."""
    made = begun(tiny(search=SEARCH), store, tmp_path_factory.mktemp("undisturbed"))
    assert cli.main(made.words) == 0
    return made


@pytest.fixture(scope="session")
def expected(whole: Mine) -> list[Any]:
    """The trials where nothing fails."""
    return trials(whole.run)


@pytest.fixture
def done(whole: Mine, tmp_path: Path) -> Mine:
    """The same in a folder of the test's own."""
    run = RunDir(tmp_path / "run")
    shutil.copytree(whole.run.root, run.root, symlinks=True)
    return whole._replace(run=run)


@pytest.fixture
def ended(capsys: pytest.CaptureFixture[str]) -> Callable[[Mine], Ended]:
    """Gives the command, in this process."""

    def run(mine: Mine) -> Ended:
        capsys.readouterr()
        code = cli.main(mine.words)
        err = capsys.readouterr().err
        assert "Traceback" not in err
        return Ended(code, err.splitlines()[-1], err)

    return run


# A disk that is full, or that nobody may write to.


def test_a_file_that_may_not_grow_is_one_line_whichever_it_is(
    mine: Mine, ended: Any, expected: Any, no_room: Any
) -> None:
    """Whatever comes to the limit first."""
    named = set()
    for size in (400, 1500, 4000, 8000, 16_000, 40_000, 100_000):
        with no_room(size):
            code, last, _ = ended(mine)
        if code == 0:
            break
        path, _, words = last.removeprefix("kdsearch: ").partition(": ")
        assert (code, words) == (2, f"file too large; allow larger files there, {GO_ON}")
        named.add(Path(path).name)
    assert named >= {"config.yaml", "checkpoint.safetensors"}
    assert ended(mine).code == 0
    assert trials(mine.run) == expected


SEALED = """
import subprocess, sys
from pathlib import Path

def mount(*words):
    subprocess.run(["mount", *words, sys.argv[1]], check=True)

def run():
    done = subprocess.run(
        [sys.executable, "-m", "kdsearch", *sys.argv[2:]], capture_output=True, text=True
    )
    print(done.returncode, done.stderr.splitlines()[-1])

mount("-t", "tmpfs", "-o", "size=32k", "none")
run()
mount("-o", "remount,size=64m")
run()
mount("-o", "remount,ro")
run()
subprocess.run([sys.executable, "-m", "kdsearch", "status", sys.argv[1]], check=True)
"""
"""In a mount namespace of its own: the run's folder on a disk of 32 kB, a larger one, none."""


def may_mount() -> bool:
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.long
@pytest.mark.skipif(not may_mount(), reason="mounting file systems is not permitted here")
def test_on_a_disk_without_room_and_on_one_that_is_read_only(mine: Mine) -> None:
    mine.run.root.mkdir()
    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", SEALED, str(mine.run.root), *mine.words],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    full, enough, sealed, first, *_ = done.stdout.splitlines()
    assert full.startswith(f"2 kdsearch: {mine.run.root}/")
    assert full.endswith(f": no space left on device; make room there, {GO_ON}")
    assert enough.startswith("0 ")
    words = (
        "cannot be written (read-only file system); make it writable, or name another folder"
    )
    assert sealed == f"2 kdsearch: {mine.run.root}: {words} with --out"
    assert first == f"{mine.run.root}: nobody at work" and done.returncode == 0


# Files that were damaged.


def identities(folder: Path) -> dict[Path, tuple[int, int]]:
    found = folder.rglob("rung*.json")
    return {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in found}


def test_a_journal_that_is_removed_is_written_again_from_the_results(
    done: Mine, ended: Any, expected: Any
) -> None:
    before, journal = identities(done.run.root), done.journal()
    lines_ = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines_[:5], b"\x00garbage\n", *lines_[6:]]))
    way_out = f"remove {journal}, and the command that made it makes it again"
    assert ended(done)[:2] == (2, f"kdsearch: {journal}: a record is damaged; {way_out}")
    journal.unlink()
    assert ended(done).code == 0
    assert trials(done.run) == expected and identities(done.run.root) == before


def test_what_is_damaged_of_a_trial_is_named_and_done_again(
    done: Mine, ended: Any, expected: Any
) -> None:
    """Taken up in the middle: a result torn, a checkpoint garbage, a folder gone."""
    journal, folders = done.journal(), sorted(done.trials_of().glob("0*"))
    os.truncate(journal, journal.stat().st_size // 3)
    known = {t.number for t in read_trials(journal) if 1 in t.scores}
    trained = [f for f in folders if int(f.name) not in known and (f / "rung2.json").exists()]
    torn, garbage, gone = trained[:3]
    (torn / "rung1.json").write_text((torn / "rung1.json").read_text()[:40])
    (garbage / "rung2.json").unlink()
    (garbage / "checkpoint.safetensors").write_bytes(bytes(3000))
    shutil.rmtree(gone)
    code, _, err = ended(done)
    assert code == 0
    said = [line for line in err.splitlines() if "damaged" in line]
    again = f"trial {int(torn.name)}, rung 1 is done again"
    anew = f"trial {int(garbage.name)}, rung 2 begins anew"
    assert sorted(said) == sorted(
        [
            f"{torn / 'rung1.json'}: damaged; {again}",
            f"{garbage / 'checkpoint.safetensors'}: damaged; {anew}",
        ]
    )
    assert trials(done.run) == expected


@pytest.mark.parametrize("name", ["state", "ledger"])
def test_a_file_full_of_zeros_is_one_line_and_may_be_removed(
    done: Mine, ended: Any, expected: Any, name: str
) -> None:
    path = getattr(done.run, name)
    path.write_bytes(bytes(path.stat().st_size))
    way_out = f"remove {path}, and the command that made it makes it again"
    assert ended(done)[:2] == (2, f"kdsearch: {path}: not whole JSON; {way_out}")
    path.unlink()
    assert ended(done).code == 0 and trials(done.run) == expected


# A clock that is set back.


def test_a_clock_that_runs_backwards_disturbs_no_run(
    mine: Mine, ended: Any, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By ten minutes with every look: in the heartbeat, the ledger, locks, the status."""
    start, looks = time.time(), count()
    defaults = Heartbeat.__init__.__kwdefaults__
    assert defaults is not None and defaults["now"] is time.time
    monkeypatch.setattr(time, "time", lambda: start - 600 * next(looks))
    monkeypatch.setitem(defaults, "now", time.time)
    assert ended(mine).code == 0
    assert next(looks) > 10, "nobody looked"
    assert trials(mine.run) == expected
    beat, ledger = read_json(mine.run.progress), read_json(mine.run.ledger)
    assert beat["updated"] >= beat["since"]
    assert all(seconds >= 0 for seconds in ledger["stages"].values())
    assert all(row["device_seconds"] > 0 for row in ledger["rungs"].values())
    assert "-" not in "".join(lines(status(mine.run))[1:]).replace("in-process", "")
