"""Seconds over several sittings, and when they are not known."""

import time
from pathlib import Path

import pytest

from kdsearch.files import read_json
from kdsearch.pipeline.stopwatch import KEPT, Clock, clock_of, stopwatch, taken


@pytest.fixture
def clock() -> Clock:
    """Each block takes a second."""
    ticks = iter(range(100))
    return lambda: float(next(ticks))


def test_sittings_add_up_also_when_cut_off(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(KeyboardInterrupt), stopwatch(tmp_path, goes_on=False, clock=clock):
        raise KeyboardInterrupt
    with stopwatch(tmp_path, goes_on=True, clock=clock):
        pass
    assert taken(tmp_path) == 2.0
    assert not (tmp_path / KEPT).exists()


def test_what_was_begun_anew_counts_from_there(tmp_path: Path, clock: Clock) -> None:
    for _ in range(2):
        with stopwatch(tmp_path, goes_on=False, clock=clock):
            pass
    assert taken(tmp_path) == 1.0


def test_after_a_kill_they_are_not_known(tmp_path: Path, clock: Clock) -> None:
    with stopwatch(tmp_path, goes_on=False, clock=clock):
        assert read_json(tmp_path / KEPT) == {"seconds": None}, "what a kill leaves"
    (tmp_path / KEPT).unlink()
    with stopwatch(tmp_path, goes_on=True, clock=clock):
        pass
    with stopwatch(tmp_path, goes_on=True, clock=clock):
        pass
    assert taken(tmp_path) is None
    assert taken(tmp_path) is None


def test_a_processor_counts_its_own_work_alone() -> None:
    clock = clock_of("cpu")
    before = clock()
    time.sleep(0.2)
    assert clock() - before < 0.1
    assert clock_of("cuda") is time.perf_counter
