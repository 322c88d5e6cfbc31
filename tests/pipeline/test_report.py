"""When a page is made anew: when what it shows is another than it was, whatever the clock."""

import os

import pytest

from kdsearch.files import write_json
from kdsearch.pipeline.report import is_stale, reported
from kdsearch.rundir import RunDir


def test_a_page_is_of_the_files_that_it_shows(copied: RunDir) -> None:
    copied.report.unlink()
    assert is_stale(copied)
    reported(copied)
    assert not is_stale(copied)
    for path in (copied.front, copied.state):
        os.utime(path, (4e9, 4e9))  # touched, by a clock that is ahead
    assert not is_stale(copied)


@pytest.mark.parametrize("name", ["front", "ledger", "state"])
def test_it_is_stale_when_one_changes_also_while_the_clock_goes_back(
    copied: RunDir, name: str
) -> None:
    reported(copied)
    path = getattr(copied, name)
    write_json(path, {**copied.read(path), "more": 1})
    os.utime(path, (1e9, 1e9))
    assert is_stale(copied)
