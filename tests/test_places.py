"""Files at URLs behave as files in folders do."""

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from kdsearch.errors import UserError
from kdsearch.places import Place, Remote, opened, place_of, try_out


@pytest.fixture(params=["folder", "file", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    texts = {"folder": str(tmp_path), "file": tmp_path.as_uri(), "memory": "memory://here"}
    yield place_of(texts[request.param])
    fsspec.filesystem("memory").store.clear()


def test_what_is_written_is_read(place: Place) -> None:
    from kdsearch.files import write_bytes

    file = place / "trials" / "0001" / "weights"  # type: ignore[operator]
    assert not file.exists() and file.name == "weights"
    write_bytes(file, b"first")
    write_bytes(file, b"second")
    assert file.exists() and file.read_bytes() == b"second"
    file.unlink()
    file.unlink(missing_ok=True)
    assert not file.exists()
    with pytest.raises(FileNotFoundError):
        file.unlink()


def test_a_file_is_there_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed or refused while it is written, the old one stays."""
    file = Remote("memory://there/weights")
    file.put(b"old")
    system = type(fsspec.filesystem("memory"))

    def full(self: object, path: str, content: bytes) -> None:
        with self.open(path, "wb") as stream:  # type: ignore[attr-defined]
            stream.write(content[:2])
        raise OSError("no space left")

    monkeypatch.setattr(system, "pipe_file", full)
    with pytest.raises(OSError, match="no space"):
        file.put(b"new one")
    assert file.read_bytes() == b"old"
    assert len(fsspec.filesystem("memory").ls("/there")) == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nowhere://bucket/run", "Protocol not known"),
        ("s3://bucket/run", "Install s3fs"),
        ("://", "is no whole URL; write s3://bucket/folder or file:///folder"),
        ("file:///", "is no whole URL"),
        ("zip://x", "zip://x: "),
        ("github://x", "github://x: "),
        ("hdfs://x", "hdfs://x: "),
    ],
)
def test_what_cannot_be_opened_is_said_in_a_line(url: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        opened(url)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(url)


def test_a_place_is_tried_out_and_left_as_it_was(tmp_path: Path) -> None:
    try_out(Remote((tmp_path / "new").as_uri()))
    assert list((tmp_path / "new").iterdir()) == []


def test_a_place_that_cannot_be_written_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for url in ((tmp_path / "file" / "below").as_uri(), "file:///proc/nothing"):
        with pytest.raises(UserError, match=r"^cannot be written \(.+\); name another$"):
            try_out(Remote(url))
