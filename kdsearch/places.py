"""Where big files lie: in a folder, or at an fsspec URL (s3://bucket/run, gs://…, file:///…)."""

from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

from kdsearch.errors import UserError


class Remote:
    """A file or folder at a URL, with the few things of `Path` that large files need."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def __truediv__(self, name: str) -> "Remote":
        return Remote(f"{self.url}/{name}")

    def __str__(self) -> str:
        return self.url

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remote) and other.url == self.url

    def __hash__(self) -> int:
        return hash(self.url)

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @cached_property
    def _system(self) -> tuple[Any, str]:
        return opened(self.url)

    def exists(self) -> bool:
        system, path = self._system
        return bool(system.exists(path))

    def read_bytes(self) -> bytes:
        system, path = self._system
        content: bytes = system.cat_file(path)
        return content

    def put(self, content: bytes) -> None:
        """Writes the whole file under another name, then gives it its own."""
        system, path = self._system
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        temporary = f"{path}.{uuid4().hex}"
        try:
            system.pipe_file(temporary, content)
            system.mv(temporary, path)
        except BaseException:
            if system.exists(temporary):
                system.rm_file(temporary)
            raise

    def size(self) -> int:
        """In bytes."""
        system, path = self._system
        return int(system.size(path))

    def unlink(self, missing_ok: bool = False) -> None:
        system, path = self._system
        try:
            system.rm_file(path)
        except FileNotFoundError:
            if not missing_ok:
                raise


Place: TypeAlias = Path | Remote


def place_of(text: str) -> Place:
    """A folder's path, or a URL."""
    return Remote(text) if "://" in text else Path(text)


def size_of(place: Place) -> int:
    """In bytes; of a link its own."""
    return place.size() if isinstance(place, Remote) else place.lstat().st_size


def opened(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it.

    Raises:
        UserError: no such protocol, no path in it, the package that speaks it is not
            installed, or what that package says of it.
    """
    scheme, _, rest = url.partition("://")
    if not scheme or not rest.strip("/"):
        raise UserError(f"{url}: is no whole URL; write s3://bucket/folder or file:///folder")
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(url)
    except Exception as error:  # each package has errors of its own
        raise UserError(f"{url}: {reason_of(error)}") from error
    return system, str(path)


def try_out(place: Remote) -> None:
    """Writes a file there, and removes it.

    Raises:
        UserError: it cannot be; the place is not named.
    """
    probe = place / f"kdsearch-{uuid4().hex}"
    try:
        probe.put(b"may I?")
        probe.unlink()
    except UserError:
        raise
    except Exception as error:  # each package has errors of its own
        raise UserError(f"cannot be written ({reason_of(error)}); name another") from error


def reason_of(error: Exception) -> str:
    """The first line of what somebody else's error says, or its kind."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
