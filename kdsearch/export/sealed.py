"""The seal of an exported folder: card.json names every file's bytes, and its own content.

That tells damage, not who made it: what a stranger wrote, card and all, has a seal too.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kdsearch.core.shapes import (
    Shape,
    is_count,
    is_number,
    is_plain_name,
    is_text,
    list_of,
    mapping_of,
    record,
)
from kdsearch.errors import ArtefactError
from kdsearch.export.spec import is_spec
from kdsearch.files import canonical

CARD = "card.json"
SCHEMA = 2
PIXELS, NORMALISED = "uint8 pixels, 0 to 255", "float32 normalised images"
"""What an artefact takes."""
SEAL = "sha256"
LARGEST_CARD = 64 * 2**20
"""Bytes; a card of a hundred thousand classes has less."""


def read_card(folder: Path) -> dict[str, Any]:
    """The card of an exported folder, whole and as it was written.

    Raises:
        ArtefactError: there is none, it was damaged, or it is not what an export writes.
    """
    if not folder.is_dir():
        raise ArtefactError(f"{folder}: no folder here; `kdsearch export RUN --to {folder}`")
    path = plain_file(folder, CARD)
    if path.stat().st_size > LARGEST_CARD:
        raise ArtefactError(f"{path}: larger than any card of ours; export it again")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        whole = is_card(content) and content.get(SEAL) == digest(content)
    except (OSError, ValueError, RecursionError) as error:
        raise ArtefactError(f"{path}: not whole JSON; export it again") from error
    if not whole:
        raise ArtefactError(f"{path}: not as an export wrote it; export it again")
    found: dict[str, Any] = content
    return found


FILE: Shape = record({"bytes": is_count, SEAL: is_text})
ARTEFACT: Shape = record(
    {
        "files": list_of(is_plain_name, fewest=1),
        "takes": lambda value: value in (PIXELS, NORMALISED),
    },
    {"test_accuracy": is_number, "latency": record({"p50": is_number, "p95": is_number})},
)
is_card: Shape = record(
    {
        "schema": lambda value: value == SCHEMA,
        "spec": is_spec,
        "files": mapping_of(FILE, fewest=1),
        "artefacts": mapping_of(ARTEFACT, fewest=1),
    }
)
"""Whether it has all that a check reads, each of the right kind."""


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
    if not is_plain_name(name):
        raise ArtefactError(
            f"{folder / CARD}: {name!r:.60} is no name of a file of ours; export it again"
        )
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise ArtefactError(f"{path}: is not there, or a link; export it again")
    return path
