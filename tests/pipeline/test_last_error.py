"""What ended a run is kept until it begins again."""

from pathlib import Path

import pytest

from kdsearch.errors import SearchError
from kdsearch.pipeline.last_error import error_kept
from kdsearch.rundir import RunDir


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    found = RunDir(tmp_path / "run")
    found.root.mkdir()
    found.config.write_text("seed: 0\n")
    found.note(study="abc")
    return found


def ends(run: RunDir, error: BaseException) -> None:
    with pytest.raises(type(error)), error_kept(run):
        raise error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (SearchError("half of\nthe jobs failed"), "half of the jobs failed"),
        (KeyError("a"), "bug: KeyError: 'a'"),
        (MemoryError(), "out of memory (too much asked for); a smaller batch_size, data.limit "
         "or teacher.width needs less"),
    ],
)  # fmt: skip
def test_one_line_until_the_next_begins(error: Exception, line: str, run: RunDir) -> None:
    ends(run, error)
    assert run.facts() == {"study": "abc", "error": line}
    with error_kept(run):
        assert run.facts()["error"] == ""
    assert run.facts()["error"] == ""


def test_an_interrupt_is_no_error(run: RunDir) -> None:
    ends(run, KeyboardInterrupt())
    assert run.facts() == {"study": "abc"}


def test_another_ones_run_is_left_alone(run: RunDir) -> None:
    with run.writing():
        ends(run, SearchError("mine"))
    assert run.facts() == {"study": "abc"}


def test_a_folder_without_a_run_stays_one(tmp_path: Path) -> None:
    ends(RunDir(tmp_path / "none"), SearchError("early"))
    assert not (tmp_path / "none").exists()


def test_a_damaged_file_hides_no_error(run: RunDir) -> None:
    run.state.write_text("5")
    ends(run, SearchError("the reason"))
    assert run.state.read_text() == "5"
