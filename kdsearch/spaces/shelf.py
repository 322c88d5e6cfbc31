"""Finds and reads search spaces: one YAML file each, shelved here or the user's own."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kdsearch.core.space import Axis, Choice, Space
from kdsearch.errors import UserError, did_you_mean
from kdsearch.spaces.marked import Document, Keys, file_text, one_line, read_text, shown


@dataclass(frozen=True, slots=True)
class SpaceFile:
    name: str
    """The file's name without its ending."""
    family: str
    """The network family whose axes these are: an entry of FAMILIES, or the user's own
    `module:pkg.mod:build`."""
    space: Space
    """Choices alone, each from small to large."""
    description: str
    count: int
    """How many students it holds."""
    params: tuple[int, int] | None
    """Parameters of the smallest and the largest student, at 3 channels and 10 classes."""
    min_size: int
    """Smallest image side the students are made for, in pixels."""
    max_size: int
    """Largest image side the students are made for, in pixels."""


def shelf() -> Path:
    """The folder of shelved spaces: inside an installed wheel, or in a checkout's root."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "search_spaces"
    return inside if inside.is_dir() else package.parent / "search_spaces"


def list_spaces() -> tuple[str, ...]:
    """Names of the shelved spaces, in alphabetical order."""
    return tuple(sorted(path.stem for path in shelf().glob("*.yaml")))


def is_path(name: str) -> bool:
    """Whether `name` means a file rather than a shelved space."""
    return name.endswith((".yaml", ".yml")) or "/" in name or "\\" in name


def is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False  # a name too long, for example


def locate(name_or_path: str | Path) -> Path:
    """The file of a space; raises UserError where there is none."""
    name = str(name_or_path)
    if is_path(name):
        path = Path(name)
        if not is_there(path):
            known = ", ".join(list_spaces())
            raise UserError(f"no search space file {shown(name)}; shelved: {known}")
        return path
    if name not in list_spaces():
        raise UserError(f"no search space {shown(name)}; {did_you_mean(name, list_spaces())}")
    return shelf() / f"{name}.yaml"


def load_space(name_or_path: str | Path) -> SpaceFile:
    """Reads a shelved space by name, or a file by path; raises UserError in one line."""
    path = locate(name_or_path)
    return space_of(file_text(path), path)


@lru_cache(maxsize=64)
def space_of(written: str, path: Path) -> SpaceFile:
    """What the text of the file at `path` says; read once, since every check of each cell of a
    batch asks for it.
    """
    document = read_text(written, one_line(str(path)))
    for key in document.content:
        if key not in FIELDS:
            raise document.error((key,), f"unknown key; {did_you_mean(key, FIELDS)}", key=True)
    for key in ("family", "min_size", "max_size", "choices"):
        if key not in document.content:
            raise document.error((), f"'{key}' is missing; a space needs it")
    fields = {key: read(document, (key,)) for key, read in FIELDS.items()}
    space = Space(fields.pop("choices"))
    count = fields.pop("count")
    if count not in (None, space.count()):
        raise document.error(("count",), f"the choices make {space.count()} students")
    if fields["min_size"] > fields["max_size"]:
        raise document.error(("max_size",), "must be at least min_size")
    return SpaceFile(name=path.stem, space=space, count=space.count(), **fields)


def is_whole(value: Any) -> bool:
    """A whole number from 1 up."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def text(document: Document, path: Keys) -> str:
    value = document.content.get(str(path[0]), "")
    if not isinstance(value, str):
        raise document.error(path, "must be text")
    return value


def family(document: Document, path: Keys) -> str:
    value = text(document, path)
    if not re.fullmatch(r"[\w.:-]+", value):
        raise document.error(path, "must be the name of a family, for example resnet")
    return value


def whole(document: Document, path: Keys) -> int | None:
    value = document.content.get(str(path[0]))
    if path[0] in document.content and not is_whole(value):
        raise document.error(path, "must be a whole number from 1 up")
    return value


def ends(document: Document, path: Keys) -> tuple[int, int] | None:
    if path[0] not in document.content:
        return None
    value = document.value(path)
    right = isinstance(value, tuple) and len(value) == 2 and all(map(is_whole, value))
    if not right or value[0] > value[1]:
        raise document.error(path, "must be [smallest, largest], both whole numbers from 1 up")
    return (value[0], value[1])


def choices(document: Document, path: Keys) -> Mapping[str, Axis]:
    value = document.value(path)
    if not isinstance(value, dict) or not value:
        raise document.error(path, "must map each choice to its values: 'stage1.depth: [1, 2]'")
    return {name: choice(document, (*path, name)) for name in value}


def choice(document: Document, path: Keys) -> Choice:
    values = document.value(path)
    if not isinstance(values, tuple) or not values:
        raise document.error(path, "must be a list of numbers, at least one")
    for i, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise document.error((*path, i), "must be a number")
        if i and value <= values[i - 1]:
            raise document.error((*path, i), "the numbers must rise; sort them, each once")
    return Choice(values)


FIELDS: Mapping[str, Callable[[Document, Keys], Any]] = MappingProxyType(
    {
        "family": family,
        "description": text,
        "count": whole,
        "params": ends,
        "min_size": whole,
        "max_size": whole,
        "choices": choices,
    }
)
"""What a space file may say, and how each key is read."""
