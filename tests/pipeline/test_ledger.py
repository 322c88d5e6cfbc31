"""ledger.json: seconds by stage over all sittings, device-seconds by rung of the search."""

import time
from pathlib import Path

import pytest

from kdsearch.core.records import Result
from kdsearch.files import read_json, write_json
from kdsearch.pipeline.ledger import (
    Sitting,
    by_rung,
    note_rungs,
    searching,
    sitting,
    spend,
    spent,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "run" / "ledger.json"


@pytest.fixture
def trials(tmp_path: Path) -> Path:
    folder = tmp_path / "run" / "trials-abc"
    for place, rung, state, seconds in (
        ("0000", 1, "done", 2.0),
        ("0000", 2, "done", 4.5),
        ("0000/seed1", 2, "done", 5.5),
        ("0007", 1, "diverged", 0.25),
    ):
        result = Result(f"{place}, {rung}", rung, state, seconds=seconds)  # type: ignore[arg-type]
        write_json(folder / place / f"rung{rung}.json", result.as_dict())
    (folder / "0000" / "checkpoint.safetensors").write_bytes(b"")
    return folder


def test_seconds_of_a_stage_add_up(ledger: Path) -> None:
    assert spent(ledger) == {}
    spend(ledger, "teacher", 1.5)
    spend(ledger, "search", 10.0)
    spend(ledger, "search", 0.12345)
    assert spent(ledger) == {"teacher": 1.5, "search": 10.123}


def test_searches_of_one_run_have_seconds_of_their_own(ledger: Path) -> None:
    before = time.time()
    assert sitting(ledger, "a") == Sitting()
    spend(ledger, "search", 10.0, "a")
    spend(ledger, "search", 5.0, "b")
    spend(ledger, "search", 0.5, "a")
    assert sitting(ledger, "a").seconds == 10.5 and sitting(ledger, "b").seconds == 5.0
    assert before <= sitting(ledger, "a").until <= time.time()
    assert spent(ledger) == {"search": 15.5}


def test_a_searchs_seconds_are_noted_while_it_lasts(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that is killed leaves them."""
    monkeypatch.setattr("kdsearch.pipeline.ledger.EVERY", 0.02)
    started = time.monotonic()
    with searching(ledger, "a"):
        assert sitting(ledger, "a").until > 0
        while sitting(ledger, "a").seconds < 0.05:
            assert time.monotonic() - started < 30
            time.sleep(0.01)
        noted = sitting(ledger, "a").seconds
    assert noted <= sitting(ledger, "a").seconds <= time.monotonic() - started + 0.002
    assert spent(ledger)["search"] == pytest.approx(sitting(ledger, "a").seconds, abs=0.05)


def test_device_seconds_are_counted_by_rung_failures_and_further_seeds_too(
    trials: Path,
) -> None:
    assert by_rung(trials) == {
        1: {"jobs": 2, "device_seconds": 2.25},
        2: {"jobs": 2, "device_seconds": 10.0},
    }
    assert by_rung(trials.with_name("none")) == {}


def test_a_result_that_was_damaged_since_is_left_out(trials: Path) -> None:
    (trials / "0007" / "rung1.json").write_text('{"job": ')
    assert by_rung(trials)[1] == {"jobs": 1, "device_seconds": 2.0}


def test_rungs_stand_beside_the_stages(ledger: Path, trials: Path) -> None:
    spend(ledger, "search", 3.0)
    note_rungs(ledger, trials)
    assert read_json(ledger) == {
        "stages": {"search": 3.0},
        "rungs": {
            "1": {"jobs": 2, "device_seconds": 2.25},
            "2": {"jobs": 2, "device_seconds": 10.0},
        },
    }
    spend(ledger, "report", 1.0)
    assert set(read_json(ledger)) == {"stages", "rungs"}


def test_nothing_is_written_where_nothing_changed(ledger: Path, trials: Path) -> None:
    note_rungs(ledger, trials)
    before = ledger.stat().st_mtime_ns, ledger.stat().st_ino
    note_rungs(ledger, trials)
    assert (ledger.stat().st_mtime_ns, ledger.stat().st_ino) == before
