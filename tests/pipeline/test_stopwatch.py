"""Seconds over several sittings, and when they are not known."""

from pathlib import Path

import pytest

from kdsearch.files import read_json
from kdsearch.pipeline import stopwatch as module
from kdsearch.pipeline.stopwatch import KEPT, stopwatch, taken


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block takes a second."""
    ticks = iter(range(100))
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(ticks))


def test_sittings_add_up_also_when_cut_off(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), stopwatch(tmp_path, goes_on=False):
        raise KeyboardInterrupt
    with stopwatch(tmp_path, goes_on=True):
        pass
    assert taken(tmp_path) == 2.0
    assert not (tmp_path / KEPT).exists()


def test_what_was_begun_anew_counts_from_there(tmp_path: Path) -> None:
    for _ in range(2):
        with stopwatch(tmp_path, goes_on=False):
            pass
    assert taken(tmp_path) == 1.0


def test_after_a_kill_they_are_not_known(tmp_path: Path) -> None:
    with stopwatch(tmp_path, goes_on=False):
        assert read_json(tmp_path / KEPT) == {"seconds": None}, "what a kill leaves"
    (tmp_path / KEPT).unlink()
    with stopwatch(tmp_path, goes_on=True):
        pass
    with stopwatch(tmp_path, goes_on=True):
        pass
    assert taken(tmp_path) is None
    assert taken(tmp_path) is None
