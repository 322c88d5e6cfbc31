"""The seal of an exported folder: card.json names every file's bytes, and its own content.

That tells damage, not who made it: what a stranger wrote, card and all, has a seal too.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kdsearch.errors import ArtefactError
from kdsearch.files import canonical

CARD = "card.json"
SEAL = "sha256"
LARGEST_CARD = 64 * 2**20
"""Bytes; a card of a hundred thousand classes has less."""
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def seal(content: Mapping[str, Any]) -> dict[str, Any]:
    """The card with the hash of everything else in it."""
    return {**content, SEAL: digest(content)}


def digest(content: Mapping[str, Any]) -> str:
    unsealed = {name: value for name, value in content.items() if name != SEAL}
    return hashlib.sha256(canonical(unsealed).encode()).hexdigest()


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_files(folder: Path, files: Mapping[str, Any]) -> None:
    """ArtefactError unless the files in `folder` are, byte for byte, those of its card."""
    for name, known in files.items():
        path = plain_file(folder, name)
        whole = path.stat().st_size == known["bytes"] and sha256(path) == known[SEAL]
        if not whole:
            raise ArtefactError(f"{path}: not the file its {CARD} describes; export it again")


def plain_file(folder: Path, name: str) -> Path:
    """A file of the folder itself: raises ArtefactError for names that lead elsewhere, for
    links, and for what is not there.
    """
    if not PLAIN_NAME.fullmatch(name):
        raise ArtefactError(f"{folder}: {name!r:.60} is no name of a file of ours")
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise ArtefactError(f"{path}: is not there, or a link; export it again")
    return path
