from pathlib import Path

import pytest

from kdsearch.core.progress import Silent
from kdsearch.files import read_json
from kdsearch.pipeline import heartbeat
from kdsearch.pipeline.heartbeat import Beat, Heartbeat, last_beat


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def wall(self) -> float:
        return 1_000_000 + self.seconds


class Heard(Silent):
    """Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def start(self, task: str, total: int) -> None:
        self.told.append(("start", task, total))

    def step(self, task: str, done: int, note: str = "") -> None:
        self.told.append(("step", task, done, note))

    def finish(self, task: str, note: str = "") -> None:
        self.told.append(("finish", task, note))

    def say(self, line: str) -> None:
        self.told.append(("say", line))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "progress.json"


def beating(path: Path, clock: Clock) -> Heartbeat:
    return Heartbeat(Silent(), path, clock=clock, now=clock.wall)


def test_everything_is_handed_on(path: Path) -> None:
    heard = Heard()
    beat = Heartbeat(heard, path)
    beat.start("teacher", 10)
    beat.step("teacher", 1, "loss 2")
    beat.say("hello")
    beat.finish("teacher", "done")
    assert heard.told == [
        ("start", "teacher", 10),
        ("step", "teacher", 1, "loss 2"),
        ("say", "hello"),
        ("finish", "teacher", "done"),
    ]


def test_the_file_tells_what_is_going_on(path: Path, clock: Clock) -> None:
    beat = beating(path, clock)
    clock.seconds = 5
    beat.start("teacher", 10)
    clock.seconds = 8
    beat.step("teacher", 4, "loss 0.3")
    assert read_json(path) == {
        "task": "teacher",
        "done": 4,
        "total": 10,
        "note": "loss 0.3",
        "since": 1_000_005,
        "updated": 1_000_008,
        "first": 4,
        "around": [],
    }
    found = last_beat(path)
    assert found == Beat("teacher", 4, 10, "loss 0.3", 1_000_005, 1_000_008, 4, [])


def test_one_write_a_second(path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    writes = []
    monkeypatch.setattr(heartbeat, "write_json", lambda path, content: writes.append(content))
    beat = beating(path, clock)
    beat.start("teacher", 1000)
    for done in range(1, 1001):
        clock.seconds += 0.01
        beat.step("teacher", done)
    assert 9 <= len(writes) <= 11
    beat.finish("teacher", "accuracy 99 %")
    assert writes[-1]["task"] is None and writes[-1]["done"] == 1000
    assert writes[-1]["note"] == "accuracy 99 %"


def test_after_a_task_the_one_around_it_is_told_of(path: Path, clock: Clock) -> None:
    beat = beating(path, clock)
    beat.start("search", 3)
    beat.start("trial 1", 10)
    clock.seconds += 2
    beat.step("trial 1", 10)
    beat.finish("trial 1")
    told = last_beat(path)
    assert told is not None
    assert (told.task, told.total, told.updated) == ("search", 3, 1_000_002)
    beat.finish("search")
    told = last_beat(path)
    assert told is not None and told.task is None


def test_a_task_is_found_while_another_is_told_of(path: Path, clock: Clock) -> None:
    """And where it went on from: 20 trials were over before this sitting."""
    beat = beating(path, clock)
    beat.start("search", 40)
    for done in (20, 23):
        clock.seconds += 10
        beat.step("search", done)
    clock.seconds += 5
    beat.start("trial 7, rung 1", 12)
    told = last_beat(path)
    assert told is not None and told.task == "trial 7, rung 1"
    search = told.of("search")
    assert search == {"task": "search", "done": 23, "first": 20, "since": 1_000_000}
    inner = told.of("trial 7, rung 1")
    assert inner is not None and inner["since"] == 1_000_025
    assert told.of("teacher") is None
    beat.finish("trial 7, rung 1")
    told = last_beat(path)
    assert told is not None and told.of("search") == search
    beat.finish("search")
    told = last_beat(path)
    assert told is not None and told.of("search") is None


def test_a_beat_of_an_earlier_version_is_read(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(
        '{"task": "search", "done": 2, "total": 9, "note": "", "since": 5, "updated": 6}'
    )
    told = last_beat(path)
    assert told is not None and told.of("search") == {
        "task": "search", "done": 2, "first": None, "since": 5,
    }  # fmt: skip


def test_an_error_leaves_where_it_happened(path: Path, clock: Clock) -> None:
    with pytest.raises(RuntimeError), beating(path, clock) as beat:
        beat.start("teacher", 10)
        clock.seconds += 0.1
        beat.step("teacher", 7)
        raise RuntimeError
    told = last_beat(path)
    assert told is not None and (told.task, told.done) == ("teacher", 7)


def test_tasks_never_begun(path: Path, clock: Clock) -> None:
    beat = beating(path, clock)
    beat.step("probing", 3)
    told = last_beat(path)
    assert told is not None and (told.task, told.done, told.total) == ("probing", 3, 0)
    beat.finish("something else")
    told = last_beat(path)
    assert told is not None and told.task == "probing"


def test_a_file_that_cannot_be_written_is_said_once(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_text("")
    heard = Heard()
    beat = Heartbeat(heard, tmp_path / "file" / "progress.json", clock=clock, now=clock.wall)
    for done in range(3):
        clock.seconds += 2
        beat.step("teacher", done)
    said = [told for told in heard.told if told[0] == "say"]
    assert len(said) == 1 and "cannot be written" in str(said[0])


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"task": 1}', "\xff"])
def test_no_beat_from_a_file_that_is_none(path: Path, content: str | None) -> None:
    if content is not None:
        path.parent.mkdir()
        path.write_bytes(content.encode("latin-1"))
    assert last_beat(path) is None


def test_a_clock_that_is_set_back_stands_still(path: Path, clock: Clock) -> None:
    beat = beating(path, clock)
    clock.seconds = 5000
    beat.start("teacher", 10)
    for seconds, updated in ((1400, 5000), (4999, 5000), (5003, 5003)):
        clock.seconds = seconds
        beat.finish("another")
        found = last_beat(path)
        assert found is not None
        assert (found.since, found.updated) == (1_005_000, 1_000_000 + updated)
