"""Files written whole or not at all, JSON with one spelling, and hashes of content."""

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kdsearch.errors import RunError
from kdsearch.places import Place, Remote

ENTRY = "key.json"
"""Marks a folder of the store: a whole result, made again when the folder is removed."""
REFUSALS: Mapping[int, str] = MappingProxyType(
    {
        errno.ENOSPC: "make room there",
        errno.EDQUOT: "make room there",
        errno.EFBIG: "allow larger files there",
        errno.EROFS: "make it writable",
        errno.EIO: "see to that disk",
    }
)
"""What a disk refuses, and the way out; nothing that was to be written is at fault."""


def write_bytes(path: Place, content: bytes) -> None:
    """Writes `content` so that a reader sees the old file or the new one, never half of it."""
    if isinstance(path, Remote):
        path.put(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path):
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError of the block names this file: a failed write knows none by itself."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def refused(error: BaseException) -> str | None:
    """One line for what a disk refused, with the way out; None for any other error."""
    if not isinstance(error, OSError) or (code := error.errno or 0) not in REFUSALS:
        return None
    where = f"{error.filename}: " if error.filename else ""
    what = os.strerror(code).lower()
    return f"{where}{what}; {REFUSALS[code]}, and the same command goes on from here"


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode())


def write_json(path: Path, content: Mapping[str, Any] | Sequence[Any]) -> None:
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """The content of a file that `write_json` wrote.

    Raises:
        RunError: the file is not there, or was damaged since.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not whole JSON"
        raise damaged(path, reason or "cannot be read") from error


def damaged(path: Place, reason: str, within: Place | None = None) -> RunError:
    """What to do about a file of ours that cannot be read; `within` has to go with it."""
    out = within or path
    if isinstance(out, Path) and (out.parent / ENTRY).exists():
        out = out.parent
    return RunError(
        f"{path}: {reason}; remove {out}, and the command that made it makes it again"
    )


def made_folder(path: Path) -> Path:
    """The folder, made with those above it where they are not there.

    Raises:
        RunError: there can be none: a file is in the way, or nothing may be written there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "a file is there" if isinstance(error, FileExistsError) else error.strerror
        raise RunError(f"{path}: cannot be a folder ({reason}); name another one") from error
    return path


def check_writable(folder: Path) -> None:
    """Raises RunError where nothing can be written in it, or it can be none; makes nothing."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    try:
        Path(tempfile.mkdtemp(dir=there, prefix=".")).rmdir()
    except OSError as error:
        raise RunError(
            f"{there}: cannot be a folder (a file is there); name another one"
            if there.is_file()
            else f"{there}: cannot be written ({error.strerror}); make it writable, or name "
            "another folder"
        ) from error


def canonical(content: Any) -> str:
    """JSON with sorted keys and no blanks: equal contents give equal text."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(content: Any) -> str:
    """Sixteen hexadecimal digits that name a JSON-able content."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:16]


def file_hash(path: Path) -> str:
    """Sixteen hexadecimal digits that name a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
