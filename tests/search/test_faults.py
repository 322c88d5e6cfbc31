"""What goes wrong with disks and clocks around a search, and what it comes to after that."""

import datetime
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from kdsearch.errors import RunError
from kdsearch.files import refused
from kdsearch.pipeline.trials import readable
from kdsearch.search.study.journal import Study, read_trials

pytestmark = pytest.mark.slow


@pytest.fixture
def world(world: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Three rungs with halving and audits."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    return world.having(fractions=(0.1, 0.3, 1.0), reduction=2.0, audits=True)


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


# A disk that is full.


def test_a_disk_that_is_full_at_any_size_costs_no_trial(world: Any, no_room: Any) -> None:
    whole = world.copy("whole")
    expected, last = whole.run(), whole.journal.stat().st_size
    for size in range(100, last, last // 12):
        full = world.copy(str(size))
        with no_room(size), pytest.raises(OSError, match="File too large") as caught:
            full.run()
        assert refused(caught.value).startswith(f"{full.journal}: file too large; ")
        assert full.run() == expected
        assert sorted(full.executed) == sorted(whole.executed), "none lost, none repeated"


# A journal that was cut, damaged or removed.


CUTS: dict[str, Callable[[Path], None]] = {
    "anywhere": lambda path: os.truncate(path, random.Random(0).randrange(path.stat().st_size)),
    "early": lambda path: os.truncate(path, 300),
    "empty": lambda path: os.truncate(path, 0),
    "gone": lambda path: path.unlink(),
    "zeros": zeroed,
    "zeros from the middle on": lambda path: path.write_bytes(
        path.read_bytes()[: (half := path.stat().st_size // 2)] + bytes(half)
    ),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_a_journal_that_lost_its_end_is_made_up_from_the_results(
    world: Any, cut: Callable[[Path], None]
) -> None:
    expected = world.run()
    cut(world.journal)
    world.executed.clear()
    assert world.run() == expected
    assert world.executed == []


def test_with_their_results_lost_as_well_trials_are_done_again(world: Any) -> None:
    expected = world.run()
    done = sorted(world.executed)
    os.truncate(world.journal, world.journal.stat().st_size // 2)
    kept = len(read_trials(world.journal))
    for number, path in enumerate(sorted(world.folder.glob("trials/*"))):
        if number % 3 == 0:
            shutil.rmtree(path)
        elif number % 3 == 1:
            for result in path.iterdir():
                zeroed(result)
    world.executed.clear()
    assert world.run() == expected
    assert 0 < len(world.executed) < len(done) and kept < len(expected)
    assert set(world.executed) < set(done)


@pytest.mark.parametrize("kind", ["flip", "zeros", "hole"])
def test_a_record_that_is_damaged_in_the_middle_is_one_line(world: Any, kind: str) -> None:
    """A record that still reads as one is taken at its word."""
    expected = world.run()
    content = world.journal.read_bytes()
    rng, refusals = random.Random(kind), 0
    for _ in range(40):
        at = rng.randrange(len(content) - 200)
        damage = {
            "flip": bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 : at + 50],
            "zeros": bytes(50),
            "hole": b"",
        }
        world.journal.write_bytes(content[:at] + damage[kind] + content[at + 50 :])
        for read in (read_trials, lambda path: Study(path, world.terms.objectives)):
            try:
                with readable(world.journal):
                    read(world.journal)
            except RunError as error:
                way_out = f"remove {world.journal}, and the command that made it makes it again"
                assert str(error) == f"{world.journal}: a record is damaged; {way_out}"
                refusals += 1
    assert refusals > 20
    world.journal.unlink()
    assert world.run() == expected


# A clock that is set back.


@pytest.fixture
def backwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Every look at the clock, a minute less."""
    looks = count()
    start = time.time()

    class Backwards(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(start - 60 * next(looks), tz)

    monkeypatch.setattr(time, "time", lambda: start - 60 * next(looks))
    monkeypatch.setattr(datetime, "datetime", Backwards)
    yield looks
    assert next(looks) > 10, "nobody looked at the clock"


def test_a_clock_that_runs_backwards_changes_nothing(
    world: Any, request: pytest.FixtureRequest
) -> None:
    expected = world.copy("whole").run()
    request.getfixturevalue("backwards")
    source = world.climb()
    for _ in range(20):
        source.tell(world.work(source.next()))
    assert world.run() == expected
