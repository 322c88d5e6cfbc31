"""Files at URLs behave as files in folders do."""

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from kdsearch.errors import UserError
from kdsearch.places import Place, Remote, place_of


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
    ],
)
def test_what_cannot_be_opened_is_said_in_a_line(url: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        Remote(url).exists()
    assert "\n" not in str(caught.value) and str(caught.value).startswith(url)
