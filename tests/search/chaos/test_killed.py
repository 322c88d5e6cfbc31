"""kill -9, again and again: no finished trial lost, none repeated, none left under way."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import optuna
import pytest

from kdsearch.engines import ENGINES
from kdsearch.search.study.journal import NAME, read_trials, storage_of
from kdsearch.search.trial import Trial

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1800)]
HERE = Path(__file__).parent
PATIENCE_S = 300
SIZE = 1_250
"""Of a journal that is nearly at its end, by trial."""


def python(words: str, *arguments: object, **more: str) -> subprocess.Popen[str]:
    """A program that finds the search to be killed, and so do its own processes."""
    known = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(known), **more}
    return subprocess.Popen(
        [sys.executable, "-c", f"import killed; killed.{words}", *map(str, arguments)],
        env={**os.environ, **own},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class Folder:
    """A search's folder, looked at from outside."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.finished: dict[int, Trial] = {}
        self.written: dict[str, tuple[int, int]] = {}

    @property
    def journal(self) -> Path:
        return self.root / "study.journal"

    def size(self) -> int:
        return self.journal.stat().st_size if self.journal.exists() else 0

    def reaches(self, size: int) -> bool:
        return self.size() >= size

    def files(self) -> list[str]:
        """Of all jobs. Without `Path`: what is waited for is over in a millisecond."""
        kinds = (f"{self.root}/{kind}" for kind in ("inherited", "trials"))
        jobs = (f"{kind}/{job}" for kind in kinds for job in names(kind))
        return [f"{job}/{name}" for job in jobs for name in names(job)]

    def results(self) -> list[str]:
        return [name for name in self.files() if name.endswith(".json")]

    def halves(self) -> list[str]:
        """Results that are being written, or were when somebody was killed."""
        return [name for name in self.files() if "/.rung" in name]

    def trials(self) -> list[Trial]:
        return read_trials(self.journal)

    def unnoted(self) -> int:
        """Results that are on disk and not in the journal."""
        noted = {f"{t.number:04d}/rung{rung}.json" for t in self.trials() for rung in t.scores}
        known = (name.partition("/trials/")[2] for name in self.results())
        return len(set(filter(None, known)) - noted)

    def check(self) -> None:
        """What was finished at the last look is as it was, and written once."""
        now = {t.number: t for t in self.trials()}
        assert {n: now.get(n) for n in self.finished} == self.finished, "finished, and lost"
        self.finished = {n: t for n, t in now.items() if t.state != "running"}
        assert self.written == {n: identity(n) for n in self.written}, "written again"
        self.written = {n: identity(n) for n in self.results()}

    def check_end(self, trials: int = 40) -> None:
        self.check()
        assert [t.number for t in self.trials()] == list(range(trials))
        assert not {t.state for t in self.trials()} & {"running", "failed"}
        study = optuna.load_study(study_name=NAME, storage=storage_of(self.journal))
        assert all(t.state.is_finished() for t in study.get_trials(deepcopy=False))


def names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except FileNotFoundError:
        return []


def identity(name: str) -> tuple[int, int]:
    """Changes when a file is written anew."""
    found = Path(name).stat()
    return found.st_ino, found.st_mtime_ns


def waited(
    is_time: Callable[[], bool], is_over: Callable[[], bool], seconds: float = 0.0002
) -> None:
    """Looks every so many seconds: seldom enough where others need the processors to start."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_time() and not is_over():
        assert time.monotonic() < deadline
        time.sleep(seconds)


# In process.


class Nursery:
    """Starts the search anew, each time in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.program = python("serve(killed.Path(killed.sys.argv[1]))", folder)

    def told(self) -> int:
        assert self.program.stdout is not None
        return int(self.program.stdout.readline())

    def born(self) -> int:
        """The number of a process that takes the search up."""
        assert self.program.stdin is not None
        self.program.stdin.write("\n")
        self.program.stdin.flush()
        return self.told()

    def killed(self, process: int, is_time: Callable[[], bool]) -> bool:
        """Whether it was, or came to the end before."""
        waited(is_time, lambda: not is_alive(process))
        if is_alive(process):
            os.kill(process, signal.SIGKILL)
        end = self.told()
        assert end in (0, -signal.SIGKILL)
        return end != 0

    def close(self) -> None:
        self.program.communicate(timeout=PATIENCE_S)


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    made = Nursery(tmp_path / "search")
    yield made
    made.close()


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def moment(folder: Folder, size: int, rng: random.Random) -> Callable[[], bool]:
    """When to kill: soon after the start, or from a size of the journal on in the middle of
    whatever comes, in writing a result, or between a result and its note.
    """
    begun, results, half = time.monotonic(), len(folder.results()), set(folder.halves())
    soon, later = rng.uniform(0, 0.04), rng.uniform(0, 0.01)
    reached: list[float] = []

    def is_there() -> bool:
        if not reached and folder.size() >= size:
            reached.append(time.monotonic())
        return bool(reached)

    kinds = {
        "soon": lambda: time.monotonic() - begun > soon,
        "any": lambda: is_there() and time.monotonic() - reached[0] > later,
        "writing": lambda: is_there() and bool(set(folder.halves()) - half),
        "noting": lambda: is_there() and len(folder.results()) > results,
    }
    return kinds[rng.choices(list(kinds), [1, 4, 2, 2])[0]]


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.chaos)])
def test_in_process_a_killed_search_comes_to_the_same_trials(
    kills: int, nursery: Nursery, tmp_path: Path
) -> None:
    folder = Folder(tmp_path / "search")
    assert not nursery.killed(nursery.born(), lambda: False)
    expected, last = folder.trials(), folder.size()
    assert {t.state for t in expected} == {"complete", "stopped"}

    rng, cuts, done = random.Random(kills), [], 0
    folder = anew(folder)
    while done < kills:
        size = int(0.97 * last * (done + rng.random()) / kills)
        process = nursery.born()
        if nursery.killed(process, moment(folder, size, rng)):
            done += 1
            folder.check()
            cuts.append((folder.size(), len(folder.results()), folder.unnoted()))
        else:  # it was faster than we are
            check_end(folder, expected)
            folder = anew(folder)
    assert not nursery.killed(nursery.born(), lambda: False)
    check_end(folder, expected)
    assert len(set(cuts)) > 0.5 * kills  # on a busy machine some come before anything is done
    assert kills < 10 or 5 < sum(unnoted > 0 for *_, unnoted in cuts) < kills - 5


def anew(folder: Folder) -> Folder:
    shutil.rmtree(folder.root)
    return Folder(folder.root)


def check_end(folder: Folder, expected: list[Trial]) -> None:
    folder.check_end()
    assert folder.trials() == expected


# On Ray.


LOOK_S = 0.02
RAYS_OWN = (b"ray::IDLE", b"ray::DashboardAgent", b"ray::RuntimeEnvAgent")


def workers_of(driver: int) -> list[int]:
    """Its actors: processes below it that Ray has named after what they are."""
    below, found = {driver}, []
    for _ in range(4):  # the driver's raylet, and what that starts
        below |= {pid for pid, parent in parents().items() if parent in below}
    for pid in below:
        with suppress(OSError):
            name = Path(f"/proc/{pid}/cmdline").read_bytes()
            if name.startswith(b"ray::") and not name.startswith(RAYS_OWN):
                found.append(pid)
    return sorted(found)


def finds_workers(found: list[int], driver: int) -> bool:
    found[:] = workers_of(driver)
    return bool(found)


def has_ended(driver: subprocess.Popen[str]) -> bool:
    return driver.poll() is not None


def parents() -> dict[int, int]:
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            words = path.read_text().rpartition(")")[2].split()
            found[int(path.parent.name)] = int(words[1])
    return found


@pytest.mark.ray
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds workers in /proc")
@pytest.mark.parametrize(
    ("engine", "kills", "trials"),
    [
        ("ray-tune", 2, 12),
        *(
            pytest.param(name, 10, 40, marks=pytest.mark.chaos)
            for name in ENGINES
            if name != "in-process"
        ),
    ],
)
def test_on_ray_with_driver_and_workers_killed_every_trial_ends_once(
    engine: str, kills: int, trials: int, tmp_path: Path
) -> None:
    """With two workers the order of results counts, so the trials need not be the same.

    Drivers and workers take turns.
    """
    folder, rng = Folder(tmp_path / "search"), random.Random(f"{engine} {kills}")
    begin = "run(killed.Path(killed.sys.argv[1]), killed.sys.argv[2], workers=2)"
    own = {"JOB_SECONDS": "0.1", "TRIALS": str(trials)}
    driver = python(begin, folder.root, engine, **own)
    for part, victim in enumerate((["driver", "worker"] * kills)[:kills]):
        size = int(SIZE * trials * (part + rng.random()) / kills)
        reached, ended = partial(folder.reaches, size), partial(has_ended, driver)
        waited(reached, ended, LOOK_S)
        time.sleep(rng.uniform(0, 0.2))
        found: list[int] = []
        if victim == "worker":
            waited(partial(finds_workers, found, driver.pid), ended, LOOK_S)
        assert driver.poll() is None, "it ended before it could be killed"
        if victim == "worker":
            os.kill(rng.choice(found), signal.SIGKILL)
        else:
            driver.kill()
            assert driver.wait() == -signal.SIGKILL
            driver = python(begin, folder.root, engine, **own)
        folder.check()
    assert driver.wait(PATIENCE_S) == 0
    folder.check_end(trials)
