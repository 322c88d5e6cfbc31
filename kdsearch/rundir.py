"""The files of a run: one folder, its names, its one writer."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EACCES, EPERM, EROFS
from pathlib import Path
from types import MappingProxyType
from typing import Any

from filelock import FileLock, Timeout

from kdsearch.core.front_shape import is_delivered, is_front
from kdsearch.core.run_shapes import is_ledger, is_run
from kdsearch.core.shapes import Shape
from kdsearch.errors import RunError
from kdsearch.files import damaged, made_folder, read_json, write_json

STAGES = ("data", "teacher", "supernet", "search", "finalists", "report")
"""In the order of a run; each does nothing where its result is there already."""

LATENCIES = "latencies"
"""A run's folder of links to what was measured on further targets; `latency` is the first's."""
CARD = "card.json"
"""In a student's folder: what is known of it."""

RUN_FILE = "run.json"
"""Where one is, a run is."""

STRANGE = "not what a run writes"
"""Said of a file that is whole, but of another content."""
NAME_OR_NONE = (str, type(None))
KINDS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = MappingProxyType(
    {
        "run.json": {
            "data": str,
            "study": str,
            "error": str,
            "front_key": str,
            "teacher": NAME_OR_NONE,
            "supernet": NAME_OR_NONE,
            "weights": NAME_OR_NONE,
            "teachers": dict,
            "study_key": dict,
            "ends": dict,
            "targets": dict,
            "ended": dict,
            "adopted": dict,
            "front_targets": dict,
        },
        "ledger.json": {"stages": dict, "studies": dict, "rungs": dict},
        "front.json": {"points": list, "directions": dict, "space": dict},
        "delivered.json": {"students": list, "deliveries": list},
        "teacher.json": {"origin": dict, "curve": list},
        "supernet.json": {"curve": list},
        "card.json": {"spec": dict, "data": str},
        "key.json": {"device": dict},
    }
)
"""By file: what its keys hold, where they are there."""
SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "front.json": is_front,
        "delivered.json": is_delivered,
        "run.json": is_run,
        "ledger.json": is_ledger,
    }
)
"""By file: what all of it has to look like."""


def always(content: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class RunDir:
    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config.yaml"

    @property
    def state(self) -> Path:
        """What the finished stages are and where their results lie."""
        return self.root / RUN_FILE

    @property
    def progress(self) -> Path:
        return self.root / "progress.json"

    @property
    def front(self) -> Path:
        return self.root / "front.json"

    @property
    def delivered(self) -> Path:
        """Students trained to the end since, and what was handed over."""
        return self.root / "delivered.json"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.json"

    @property
    def audit(self) -> Path:
        """How far the ranking by inherited weights can be trusted."""
        return self.root / "audit.json"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def picture(self) -> Path:
        """The front as a picture of its own."""
        return self.root / "front.svg"

    @property
    def test_openings(self) -> Path:
        """One JSON line for each time the test split was opened, and why."""
        return self.root / "test_openings.jsonl"

    @property
    def predictions(self) -> Path:
        """Latencies that searches went by: by name of the folder of what was measured, and by
        student."""
        return self.root / "predictions"

    def journal(self, study: str) -> Path:
        return self.root / f"study-{study}.journal"

    def trials(self, study: str) -> Path:
        return self.root / f"trials-{study}"

    def student(self, student: str) -> Path:
        return self.root / "students" / student

    def read(self, path: Path, *keys: str) -> Any:
        """A JSON file of this run, which holds these keys.

        Raises:
            RunError: the run is not there, has not come that far, or the file was damaged.
        """
        self.check_there()
        if not path.exists():
            raise RunError(
                f"{self.root}: no {path.name} yet; `kdsearch status {self.root}` shows how far "
                f"it is, `kdsearch run {self.config} --out {self.root}` goes on"
            )
        return mapping(path, *keys)

    def check_there(self) -> None:
        """Raises RunError where there is no run in this folder."""
        if self.config.exists():
            return
        self.check_no_batch()
        raise RunError(f"{self.root}: no run here; `kdsearch run CONFIG --out {self.root}`")

    def check_no_batch(self) -> None:
        """Raises RunError where the folder is a batch's: a run would be lost in it."""
        cells = self.root / "cells"
        is_batch = (self.root / "batch.json").exists() or cells.is_dir()
        if is_batch and not self.config.exists():
            raise RunError(f"{self.root}: a batch; its runs are in {cells}")

    def link(self, name: str, target: Path) -> None:
        """Makes RUN/name point at `target`, in place of what it pointed at.

        A target inside the run is named relative to it: the run may be moved.
        """
        link, root, to = self.root / name, self.root.resolve(), target.resolve()
        if to.is_relative_to(root):
            to = to.relative_to(root)
        if link.is_symlink():
            if link.readlink() == to:
                return
            link.unlink()
        elif link.exists():
            raise RunError(f"{link}: in the way of a link of this name; move it elsewhere")
        link.symlink_to(to, target_is_directory=target.is_dir())

    def note(self, **facts: Any) -> None:
        """Adds facts to run.json."""
        known = self.facts()
        if known | facts != known:
            write_json(self.state, known | facts)

    def facts(self) -> dict[str, Any]:
        return mapping(self.state) if self.state.exists() else {}

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the run's one writer lock.

        Raises:
            RunError: another process is at work on this run, or the folder is a batch's.
        """
        self.check_no_batch()
        made_folder(self.root)
        lock = FileLock(self.root / ".lock")
        try:
            lock.acquire(timeout=0.5)
        except Timeout:
            raise RunError(
                f"{self.root}: another process is at work here; "
                f"`kdsearch status {self.root}` shows what it does"
            ) from None
        except OSError as error:
            if error.errno not in (EROFS, EACCES, EPERM):
                raise
            raise RunError(
                f"{self.root}: cannot be written ({os.strerror(error.errno).lower()}); make it "
                "writable, or name another folder with --out"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def busy(self) -> bool:
        """Whether a process is at work on this run; none is where nobody can write."""
        if not self.root.exists():
            return False
        lock = FileLock(self.root / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        except OSError:
            return False
        lock.release()
        return False


def mapping(path: Path, *keys: str) -> dict[str, Any]:
    """A JSON file that holds these keys, and others; raises RunError where it was damaged."""
    content = read_json(path)
    kinds = KINDS.get(path.name, {})
    if (
        not isinstance(content, dict)
        or any(key not in content for key in keys)
        or any(not isinstance(content[n], kinds[n]) for n in kinds if n in content)
        or not SHAPES.get(path.name, always)(content)
    ):
        raise damaged(path, STRANGE)
    return content
