"""Whether a machine is busy with others' work, from readings made up and from the real one."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from torch import nn

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.errors import RunError
from kdsearch.measure.book import CostBook, anchors, read_latency
from kdsearch.measure.latency import Target
from kdsearch.measure.load import POLICIES, WINDOW, Load, Reading, Watch, others, reading

CORES = 4


class Machine:
    """Four cores of which others keep `loads` busy, one after the other, window by window."""

    def __init__(self, *loads: float) -> None:
        self.loads = list(loads)
        self.wall = self.worked = self.own = 0.0
        self.slept: list[float] = []

    def read(self) -> Reading:
        return Reading(self.wall, CORES * self.wall, self.worked, self.own, CORES)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.spend(seconds, 0.0)

    def spend(self, seconds: float, ours: float) -> None:
        """So much time passes, in which this process keeps `ours` cores busy."""
        load = self.loads.pop(0) if len(self.loads) > 1 else self.loads[0]
        self.wall += seconds
        self.own += ours * seconds
        self.worked += (load + ours) * seconds

    def watch(self, policy: str, patience: float = 60.0) -> Watch:
        return Watch(policy, patience, self.read, self.sleep)


class Said(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def seen(machine: Machine, policy: str, threads: int = 1) -> Load:
    """What a measurement of two seconds on one core finds."""
    watch = machine.watch(policy)
    begun = watch.begin(threads, Silent())
    machine.spend(2.0, 1.0)
    return watch.end(begun, threads)


def test_what_this_process_does_is_not_others_work() -> None:
    assert seen(Machine(0.5), "flag") == Load(pytest.approx(0.5), CORES)
    assert seen(Machine(0.0), "flag").cores == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("load", "threads", "busy"),
    [(0.0, 4, False), (0.05, 4, False), (0.2, 4, True), (3.0, 1, False), (3.2, 1, True)],
)
def test_busy_is_where_fewer_cores_are_left_than_threads(
    load: float, threads: int, busy: bool
) -> None:
    assert seen(Machine(load), "flag", threads).is_busy(threads) is busy


def test_flagging_waits_for_nobody() -> None:
    machine = Machine(4.0)
    assert seen(machine, "flag").is_busy(1)
    assert machine.slept == []


def test_waiting_ends_as_soon_as_it_is_quiet() -> None:
    machine, said = Machine(4.0, 4.0, 0.1), Said()
    machine.watch("wait").begin(1, said)
    assert machine.slept == [WINDOW] * 3
    assert said.lines == [
        "latency: others keep 4.0 of 4 cores busy; waiting up to 60 s for quiet"
    ]


def test_waiting_has_an_end() -> None:
    machine = Machine(4.0)
    machine.watch("wait", patience=1.0).begin(1, Silent())
    assert sum(machine.slept) == pytest.approx(1.0 + WINDOW)
    assert machine.watch("wait", patience=0.0).begin(1, Silent()) is not None


def test_quiet_is_not_waited_for_and_nothing_is_said() -> None:
    machine, said = Machine(0.0), Said()
    machine.watch("wait").begin(1, said)
    assert (machine.slept, said.lines) == ([WINDOW], [])


def test_refusing_says_how_many_cores_and_the_way_out() -> None:
    line = "others keep 3.5 of 4 cores busy, where a latency needs 1 to itself; .*: flag"
    with pytest.raises(RunError, match=line):
        seen(Machine(3.5), "refuse")
    assert not seen(Machine(1.0), "refuse").is_busy(1)


def test_who_comes_during_the_measurement_is_refused_too() -> None:
    machine = Machine(0.0, 4.0)
    watch = machine.watch("refuse")
    begun = watch.begin(1, Silent())
    machine.spend(2.0, 1.0)
    with pytest.raises(RunError, match=r"keep 4\.0 of 4"):
        watch.end(begun, 1)


def test_a_short_measurement_is_looked_at_for_a_whole_window() -> None:
    machine = Machine(2.0)
    watch = machine.watch("flag")
    begun = watch.begin(1, Silent())
    machine.spend(0.05, 1.0)
    assert watch.end(begun, 1).cores == pytest.approx(2.0)
    assert machine.slept == [pytest.approx(WINDOW - 0.05)]


@pytest.mark.parametrize("policy", POLICIES)
def test_where_nothing_is_known_nothing_is_claimed(policy: str, tmp_path: Path) -> None:
    watch = Watch(policy, read=lambda: reading(tmp_path / "none"))
    begun = watch.begin(1, Silent())
    assert begun is None
    assert watch.end(begun, 1) == Load(None, 0)
    assert not Load(None, 0).is_busy(1)


def test_clocks_that_stand_still_say_nothing() -> None:
    one = Reading(1.0, 100.0, 50.0, 1.0, CORES)
    assert others(one, one._replace(wall=2.0)) == Load(None, 0)


def test_processors_that_are_not_ours_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = tmp_path / "stat"
    lines = ["cpu  9 9 9 9 9 9 9 9 0 0", "cpu0 1 2 3 40 5 6 7 8 9 9"]
    stat.write_text("\n".join([*lines, "cpu1 100 0 0 0 0 0 0 0 0 0", "intr 5 5", ""]))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    monkeypatch.setattr("os.sysconf", lambda _: 100)
    found = reading(stat)
    assert found is not None
    assert (found.counted, found.worked, found.cores) == (0.72, 0.27, 1)


@contextmanager
def spinning(processes: int) -> Iterator[None]:
    """So many processes that do nothing but work."""
    spin = "print(flush=True)\nwhile True: pass"
    started = [
        subprocess.Popen([sys.executable, "-c", spin], stdout=subprocess.PIPE)
        for _ in range(processes)
    ]
    try:
        for one in started:
            assert one.stdout is not None
            one.stdout.readline()
        yield
    finally:
        for one in started:
            one.kill()
            one.communicate()


@pytest.fixture
def loaded() -> Iterator[None]:
    """This machine, every core kept busy by processes of the test's own."""
    first = reading()
    if first is None:
        pytest.skip("this system does not tell how busy its processors are")
    with spinning(first.cores):
        yield


def book(folder: Path, policy: str) -> CostBook:
    """Of one small network, timed for real."""
    space = Space({"width": Choice((2, 4))})
    return CostBook(
        folder,
        lambda a: nn.Sequential(nn.Conv2d(1, int(a["width"]), 3), nn.Flatten()),
        (1, 8, 8),
        Target("here", "eager"),
        anchors(space),
        rounds=4,
        progress=Silent(),
        watch=Watch(policy, patience=0.5),
    )


@pytest.mark.parametrize("policy", ["flag", "wait"])
def test_a_latency_measured_under_load_is_flagged(
    loaded: None, tmp_path: Path, policy: str
) -> None:
    student = Architecture.of({"width": 4})
    book(tmp_path, policy).costs([student], latency=True)
    stored = read_latency(tmp_path / f"{student.id}.json")
    assert stored.busy and stored.load is not None and stored.load > 0.5


def test_a_latency_under_load_is_refused(loaded: None, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"latency\.busy: refuse, and others keep .* busy"):
        book(tmp_path, "refuse").costs([Architecture.of({"width": 4})], latency=True)
    assert list(tmp_path.iterdir()) == []
