"""What the tests of whole runs share: a tiny run on digits, made once, and one start of Ray."""

import copy
import os
import resource
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from kdsearch.config import parse_config
from kdsearch.core.progress import Progress, Silent
from kdsearch.engines.ray_start import QUIET, start
from kdsearch.pipeline.run import run
from kdsearch.rundir import RunDir

for name, value in QUIET.items():  # Ray reads them on import, whichever test imports it first
    os.environ.setdefault(name, value)

TINY: Mapping[str, Any] = {
    "data": {"augment": "none"},
    "teacher": {"epochs": 3},
    "supernet": {"epochs": 3},
    "distill": {"epochs": 3},
    "latency": {"rounds": 4},
    "search": {"trials": 8, "batch_size": 4, "objectives": ["accuracy", "macs"]},
    "finalists": {"count": 4},
    "device": "cpu",
    "precision": "float32",
}
"""Digits, eight trials, seconds: enough to come to a front."""

Tiny = Callable[..., dict[str, Any]]
Go = Callable[..., RunDir]
NoRoom = Callable[[int], AbstractContextManager[None]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also tests marked long")
    parser.addoption("--all", action="store_true", help="also tests marked long or chaos")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what nobody asked for; files that take long come first, so that two processes
    end together.
    """
    every, more = config.getoption("--all"), config.getoption("--long")
    not_asked = set() if every else {"chaos"} if more else {"chaos", "long"}
    marks = {item: {mark.name for mark in item.iter_markers()} for item in items}
    left_out = [item for item in items if marks[item] & not_asked]
    items[:] = [item for item in items if not marks[item] & not_asked]
    seconds: Counter[Path] = Counter()
    for item in items:
        seconds[item.path] += 10 if "long" in marks[item] else 2 if "slow" in marks[item] else 0
    items.sort(key=lambda item: -seconds[item.path])
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Ctrl-C is what it is at a terminal, also where the tests run in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def no_room() -> NoRoom:
    """`with no_room(1000):` every write beyond a file's first 1000 bytes is refused (EFBIG)."""

    @contextmanager
    def refusing(size: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return refusing


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Teacher, supernet and latencies of the tiny runs, trained by the first that asks."""
    return tmp_path_factory.mktemp("shared") / "store"


@pytest.fixture(scope="session")
def tiny(store: Path) -> Tiny:
    """The tiny run's config, sections merged in: `tiny(search={"trials": 4}, seed=1)`."""

    def config(**changed: Any) -> dict[str, Any]:
        content: dict[str, Any] = {**copy.deepcopy(dict(TINY)), "store": str(store)}
        for name, value in changed.items():
            is_section = isinstance(value, Mapping) and name in content
            content[name] = {**content[name], **value} if is_section else value
        return content

    return config


@pytest.fixture(scope="session")
def go() -> Go:
    """Runs a config in a folder: `go(config, out, until="search")`."""

    def gone(
        config: Mapping[str, Any], out: Path, progress: Progress | None = None, **more: Any
    ) -> RunDir:
        return run(parse_config(config), out, progress or Silent(), **more)

    return gone


@pytest.fixture(scope="session")
def finished(tiny: Tiny, go: Go, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A whole tiny run; tests read it and write nothing into it."""
    return go(tiny(), tmp_path_factory.mktemp("runs") / "finished")


@pytest.fixture
def copied(finished: RunDir, tmp_path: Path) -> RunDir:
    """The finished run in a folder of the test's own; its store is the shared one."""
    root = tmp_path / "runs" / "copied"
    shutil.copytree(finished.root, root, symlinks=True)
    return RunDir(root)


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that this process and every Ray worker import modules from."""
    folder = tmp_path_factory.mktemp("plugins")
    sys.path.insert(0, str(folder))
    return folder


@pytest.fixture(scope="session")
def ray_up(plugins: Path) -> Iterator[Any]:
    """Ray, started by the engine's own `start`, once for all tests."""
    before = dict(os.environ)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(plugins), before.get("PYTHONPATH", "")])
    ray, is_ours = start(workers=2)
    assert is_ours
    yield ray
    ray.shutdown()
    os.environ.clear()
    os.environ.update(before)
