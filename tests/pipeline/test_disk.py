"""The estimate of disk space, against what a finished run really left behind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.data.stored import read_info
from kdsearch.nets.kinds import family_of
from kdsearch.pipeline import disk as disk_module
from kdsearch.pipeline.check import check
from kdsearch.pipeline.context import open_context
from kdsearch.pipeline.disk import PER_TRIAL, Assumed, Disk, disk, free, words
from kdsearch.rundir import RunDir

MEGA = 10**6


def taken(*folders: Path) -> int:
    return sum(p.stat().st_size for f in folders for p in f.rglob("*") if p.is_file())


@pytest.fixture(scope="module")
def expected(finished: RunDir, tiny: Any) -> Disk:
    return check(parse_config(tiny()), finished.root, Silent())[1].disk


@pytest.mark.parametrize("part", ["data", "teacher", "supernet"])
def test_each_part_of_the_store_within_a_factor_of_two(
    finished: RunDir, expected: Disk, part: str
) -> None:
    real = taken(Path(finished.facts()[part]))
    assert real / 2 < expected.store[part] < real * 2


def test_the_runs_own_files_within_a_factor_of_two(finished: RunDir, expected: Disk) -> None:
    """Checkpoints and weights together: all trials of this one pass the screen."""
    folder = finished.trials(finished.facts()["study"])
    real = taken(folder) + taken(finished.root / "students")
    assert real / 2 < expected.run["trials"] + expected.run["students"] < real * 2


def test_the_whole_within_a_factor_of_two(finished: RunDir, expected: Disk) -> None:
    stages = [Path(finished.facts()[part]) for part in ("data", "teacher", "supernet")]
    own = [p for p in finished.root.rglob("*") if p.is_file() and not p.is_symlink()]
    links = [p for p in finished.root.iterdir() if p.is_symlink()]
    linked = {p for link in links for p in link.rglob("*")}
    real = taken(*stages) + sum(p.stat().st_size for p in own if p not in linked)
    assert real / 2 < expected.total < real * 2


def of(finished: RunDir, tiny: Any, **changed: Any) -> Disk:
    """The estimate where methods train nothing but the student, and no teacher is kept."""
    context = open_context(parse_config(tiny(**changed)), finished.root, Silent())
    info = read_info(Path(finished.facts()["data"]))
    return disk(context, info, Assumed(teacher=0, beside=0.0, told=12))


def test_more_is_asked_for_more(finished: RunDir, tiny: Any) -> None:
    few, many = of(finished, tiny).run, of(finished, tiny, search={"trials": 800}).run
    assert many["results"] - few["results"] == pytest.approx(792 * PER_TRIAL)
    assert many["trials"] > 30 * few["trials"]
    assert many["students"] == few["students"]
    twice = of(finished, tiny, finalists={"count": 8, "seeds": 3}).run
    assert twice["students"] == 2 * few["students"]
    more = 8 * 3 - 4  # trainings, each of the size of a published student
    assert twice["trials"] - few["trials"] == pytest.approx(more * few["students"] / 4)


def test_what_a_teacher_says_is_counted_where_it_is_stored(finished: RunDir, tiny: Any) -> None:
    train = read_info(Path(finished.facts()["data"])).counts["train"]
    assert "bank" not in of(finished, tiny).store
    found = of(finished, tiny, distill={"bank": 3}).store
    assert found["bank"] == 3 * train * 12 * 4


def test_a_space_without_shared_weights_has_no_supernet(
    finished: RunDir, tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert of(finished, tiny).store["supernet"] > 0
    monkeypatch.setattr(type(family_of("resnet")), "shares_weights", False)
    assert "supernet" not in of(finished, tiny).store


def test_a_teacher_larger_than_all_trials_takes_most_while_it_is_trained(
    finished: RunDir, tiny: Any
) -> None:
    context = open_context(parse_config(tiny()), finished.root, Silent())
    info = read_info(Path(finished.facts()["data"]))
    found = disk(context, info, Assumed(teacher=10 * MEGA, beside=0.0, told=0))
    assert found.store["teacher"] == 40 * MEGA
    training = found.store["their training"]
    assert training + found.run["trials"] == pytest.approx(3 * 40 * MEGA)


@pytest.mark.slow
def test_every_teacher_is_counted(expected: Disk, finished: RunDir, tiny: Any) -> None:
    config = parse_config(tiny(teachers={"more": {"epochs": 1}}))
    found = check(config, finished.root, Silent())[1].disk.store
    assert found["teacher"] == 2 * expected.store["teacher"]


@pytest.mark.slow
def test_a_check_knows_how_much_a_teacher_says(
    expected: Disk, finished: RunDir, tiny: Any
) -> None:
    """Ten logits and what stands before them, of each image, in three variations."""
    config = parse_config(tiny(distill={"bank": 3}))
    found = check(config, finished.root, Silent())[1].disk.store
    train = read_info(Path(finished.facts()["data"])).counts["train"]
    assert found["bank"] > 3 * train * 10 * 4
    assert "bank" not in expected.store


def placed(tmp_path: Path, **parts: float) -> Disk:
    places = {"store": tmp_path / "store" / "not" / "yet", "run": tmp_path / "run"}
    return Disk({"data": parts["store"]}, {"trials": parts["run"]}, places)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, tuple[int, int]]]:
    """(device, bytes free) by the first word of what lies in the test's folder."""
    known: dict[str, tuple[int, int]] = {}

    def of(folder: Path) -> tuple[int, int]:
        return next(found for name, found in known.items() if name in folder.parts)

    monkeypatch.setattr(disk_module, "free", of)
    yield known


def test_what_fits_is_told_without_a_warning(tmp_path: Path, room: Any) -> None:
    room |= {"store": (1, 20 * MEGA), "run": (1, 20 * MEGA)}
    said = list(words(placed(tmp_path, store=5.0 * MEGA, run=10.0 * MEGA)))
    assert said[0] == "disk expected, roughly, at most: 15.0 MB (data 5.0 MB, trials 10.0 MB)"
    assert [line.partition(" at ")[0] for line in said[1:]] == ["disk free: 20.0 MB"]


def test_what_does_not_fit_together_is_warned_of(tmp_path: Path, room: Any) -> None:
    """Each alone would fit: they share a disk."""
    room |= {"store": (1, 12 * MEGA), "run": (1, 12 * MEGA)}
    *_, warning = words(placed(tmp_path, store=5.0 * MEGA, run=10.0 * MEGA))
    assert warning.startswith("warning: about 15.0 MB may be needed there; make room, ")


def test_each_disk_is_looked_at_by_itself(tmp_path: Path, room: Any) -> None:
    room |= {"store": (1, 12 * MEGA), "run": (2, 8 * MEGA)}
    said = list(words(placed(tmp_path, store=5.0 * MEGA, run=10.0 * MEGA)))
    assert [line.split(" at ")[0] for line in said[1:3]] == [
        "disk free: 12.0 MB", "disk free: 8.0 MB",
    ]  # fmt: skip
    assert [line for line in said if line.startswith("warning: about 10.0 MB")] == [said[3]]


def test_free_space_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    device, room = free(tmp_path / "a" / "b")
    assert device == tmp_path.stat().st_dev
    assert room > 0
