"""Results are built once, whole or not, by one process at a time."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from kdsearch import store as store_module
from kdsearch.files import read_json
from kdsearch.store import PARTIAL, Store

KEY = {"version": 1, "seed": 0, "values": [1, 2.5, None]}


def test_a_result_is_built_once(tmp_path: Path) -> None:
    store, made = Store(tmp_path), []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "result").write_text("42")

    folder = store.build("stage", KEY, make)
    assert folder == store.folder("stage", KEY) == store.build("stage", KEY, make)
    assert (folder / "result").read_text() == "42"
    assert read_json(folder / "key.json") == KEY
    assert len(made) == 1
    assert [child for child in (tmp_path / "stage").iterdir() if child.is_dir()] == [folder]


def test_what_it_depends_on_names_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    same = {"values": [1, 2.5, None], "seed": 0, "version": 1}
    assert store.folder("stage", KEY) == store.folder("stage", same)
    folders = {store.folder("stage", KEY), store.folder("other", KEY)}
    folders |= {store.folder("stage", {**KEY, "seed": 1}), store.folder("stage", {})}
    assert len(folders) == 4
    assert store.folder("stage", KEY).relative_to(tmp_path) == Path("stage") / KEY_HASH


KEY_HASH = "54da8320e9ec27d8"
"""Of '{"seed":0,"values":[1,2.5,null],"version":1}', by sha256sum."""


def test_what_failed_is_not_there_and_goes_on_from_where_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def make(folder: Path) -> None:
        checkpoint = folder / "checkpoint"
        if not checkpoint.exists():
            checkpoint.write_text("half way")
            raise ZeroDivisionError
        (folder / "result").write_text(checkpoint.read_text())

    with pytest.raises(ZeroDivisionError):
        store.build("stage", KEY, make)
    assert not store.folder("stage", KEY).exists()
    assert (store.build("stage", KEY, make) / "result").read_text() == "half way"


BUILDER = f"""
import os, signal, sys, time
from pathlib import Path
from kdsearch.store import Store

root, end = Path(sys.argv[1]), sys.argv[2]

def make(folder):
    with (root / "made").open("a") as file:
        file.write("once ")
    (folder / "checkpoint").write_text("half way")
    if end == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.3)
    (folder / "result").write_text("42")

folder = Store(root).build("stage", {KEY}, make)
assert (folder / "result").read_text() == "42"
"""


def builder(root: Path, end: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", BUILDER, str(root), end])


def test_a_killed_builder_leaves_its_work_to_the_next(tmp_path: Path) -> None:
    """Not the final name, but the checkpoint in the partial folder, and no lock that holds."""
    assert builder(tmp_path, "die").wait(30) == -signal.SIGKILL
    final = Store(tmp_path).folder("stage", KEY)
    assert not final.exists()
    assert (final.with_name(final.name + PARTIAL) / "checkpoint").read_text() == "half way"
    seen: list[str] = []
    Store(tmp_path).build("stage", KEY, lambda f: seen.append((f / "checkpoint").read_text()))
    assert seen == ["half way"]
    assert (final / "checkpoint").exists() and (final / "key.json").exists()


def test_others_wait_for_the_first(tmp_path: Path) -> None:
    """Four processes at once: one builds, all see the finished result."""
    processes = [builder(tmp_path, "finish") for _ in range(4)]
    assert [process.wait(30) for process in processes] == [0] * 4
    assert (tmp_path / "made").read_text() == "once "
    folders = [child for child in (tmp_path / "stage").iterdir() if child.is_dir()]
    assert folders == [Store(tmp_path).folder("stage", KEY)]


def test_who_waited_builds_nothing_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first finishes between the other's look and its lock."""
    final = Store(tmp_path).folder("stage", KEY)

    def late(path: Path) -> AbstractContextManager[None]:
        @contextmanager
        def held() -> Iterator[None]:
            final.mkdir()
            yield

        return held()

    monkeypatch.setattr(store_module, "FileLock", late)
    built = Store(tmp_path).build("stage", KEY, lambda folder: pytest.fail("built again"))
    assert built == final
    assert list((tmp_path / "stage").iterdir()) == [final]


def test_what_several_train_together_is_a_result_of_its_own(tmp_path: Path) -> None:
    """And is never made by one alone."""
    store = Store(tmp_path)
    alone = store.build("stage", KEY, lambda folder: None, processes=1)
    assert alone == store.build("stage", KEY, lambda folder: None)
    assert read_json(alone / "key.json") == KEY
    with pytest.raises(AssertionError, match="several are to train it"):
        store.build("stage", KEY, lambda folder: None, processes=2)
    both = store.folder("stage", {**KEY, "processes": 2})
    both.mkdir()
    assert store.build("stage", KEY, lambda folder: None, processes=2) == both
