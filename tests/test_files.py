"""Files are whole or not there, also when the process dies in the middle of writing."""

import errno
import math
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from kdsearch.errors import RunError
from kdsearch.files import (
    ENTRY,
    canonical,
    content_hash,
    file_hash,
    made_folder,
    read_json,
    refused,
    write_bytes,
    write_json,
    write_text,
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "not" / "there" / "yet.bin"
    for content in (b"", b"first", bytes(range(256)) * 1000):
        write_bytes(path, content)
        assert path.read_bytes() == content
    assert [child.name for child in path.parent.iterdir()] == ["yet.bin"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_json_and_text_are_utf8(tmp_path: Path) -> None:
    content = {"name": "Größe 数字", "values": [1, 2.5, None, True]}
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json") == content
    assert (tmp_path / "a.json").read_text().endswith("}\n")
    write_text(tmp_path / "a.txt", "größer\n")
    assert (tmp_path / "a.txt").read_bytes() == "größer\n".encode()


def test_json_takes_no_nan(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"x": 1.0})
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"x": math.nan})
    assert read_json(path) == {"x": 1.0}


class Crash(BaseException):
    pass


@pytest.mark.parametrize("where", ["os.fsync", "pathlib.Path.replace"])
def test_a_crash_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def crash(*args: object) -> None:
        raise Crash

    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(where, crash)
        write_bytes(path, b"new" * 100)
    assert path.read_bytes() == b"old"
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


KILLED = """
import os, signal, sys
from pathlib import Path
from kdsearch.files import write_bytes

def die(handle):
    os.kill(os.getpid(), signal.SIGKILL)

os.fsync = die
write_bytes(Path(sys.argv[1]), b"new" * 100_000)
"""


@pytest.mark.parametrize("exists", [True, False])
def test_kill_9_in_the_middle_leaves_the_old_file(tmp_path: Path, exists: bool) -> None:
    path = tmp_path / "file"
    if exists:
        write_bytes(path, b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old" if exists else not path.exists()


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path, contents = tmp_path / "file", [bytes([i]) * 200_000 for i in range(40)]
    write_bytes(path, contents[0])

    def write() -> None:
        for content in contents:
            write_bytes(path, content)

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while writer.is_alive():
        seen.append(path.read_bytes())
    writer.join()
    assert seen
    assert all(len(content) == 200_000 and len(set(content)) == 1 for content in seen)


def test_bytes_are_on_disk_before_they_have_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr("os.fsync", lambda handle: (order.append("sync"), sync(handle))[1])
    monkeypatch.setattr(
        "pathlib.Path.replace", lambda *paths: (order.append("name"), replace(*paths))[1]
    )
    write_bytes(tmp_path / "file", b"content")
    assert order == ["sync", "name"]


def test_equal_contents_have_one_spelling() -> None:
    one, other = {"b": [1, 2.0], "a": {"y": None, "x": True}}, {"a": {"x": True, "y": None}}
    other["b"] = [1, 2.0]
    assert canonical(one) == canonical(other) == '{"a":{"x":true,"y":null},"b":[1,2.0]}'
    assert content_hash(one) == content_hash(other)
    with pytest.raises(ValueError, match="JSON"):
        canonical({"x": math.inf})


def test_hashes_are_sha256(tmp_path: Path) -> None:
    """First digits of sha256('{"a":1}'), by sha256sum."""
    assert content_hash({"a": 1}) == "015abd7f5cc57a2d"
    write_bytes(tmp_path / "file", b'{"a":1}')
    assert file_hash(tmp_path / "file") == "015abd7f5cc57a2d"


def test_different_contents_have_different_hashes() -> None:
    contents = [{}, [], {"a": 1}, {"a": "1"}, {"a": None}, {"a": [1]}, {"b": 1}, "a", 1]
    assert len({content_hash(content) for content in contents}) == len(contents)


def test_a_damaged_file_is_named_with_the_way_out(tmp_path: Path) -> None:
    for content in (b'{"a": ', b"\xff\xfe", b""):
        write_bytes(tmp_path / "front.json", content)
        with pytest.raises(RunError) as caught:
            read_json(tmp_path / "front.json")
        path = tmp_path / "front.json"
        again = f"remove {path}, and the command that made it makes it again"
        line = f"{path}: not whole JSON; {again}"
        assert str(caught.value) == line
    (tmp_path / ENTRY).write_text("{}")
    with pytest.raises(RunError, match=f"; remove {tmp_path}, and"):
        read_json(tmp_path / "none.json")


def test_a_folder_where_none_can_be_is_one_line(tmp_path: Path) -> None:
    assert made_folder(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"file: cannot be a folder \(a file is there\)"):
        made_folder(tmp_path / "file")
    with pytest.raises(RunError, match=r"x: cannot be a folder \(Not a directory\)"):
        made_folder(tmp_path / "file" / "x")


def test_a_refused_write_names_the_file_and_leaves_the_old_one(
    no_room: Any, tmp_path: Path
) -> None:
    path = tmp_path / "front.json"
    write_bytes(path, b"old")
    with no_room(100), pytest.raises(OSError, match="File too large") as caught:
        write_bytes(path, b"x" * 101)
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"old", [path])
    line = "file too large; allow larger files there, and the same command goes on from here"
    assert refused(caught.value) == f"{path}: {line}"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "", "a"), "a: no space left on device; make room there"),
        (OSError(errno.EDQUOT, "?"), "disk quota exceeded; make room there"),
        (OSError(errno.EROFS, "?", "a"), "a: read-only file system; make it writable"),
        (OSError(errno.EIO, "?", "a"), "a: input/output error; see to that disk"),
    ],
)
def test_what_a_disk_refuses_has_a_way_out(error: OSError, line: str) -> None:
    assert refused(error) == f"{line}, and the same command goes on from here"


@pytest.mark.parametrize("error", [OSError(), OSError(errno.ENOENT, "?", "a"), ValueError(28)])
def test_what_no_disk_refused_is_something_else(error: Exception) -> None:
    assert refused(error) is None
