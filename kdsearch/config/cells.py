"""A batch's cells: configs put together from parts, each value with the place it stands at."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kdsearch.config.models import Config
from kdsearch.config.read import checked, put, replace_places
from kdsearch.config.ways import put_at, way
from kdsearch.spaces.marked import Document, Keys, read_file


class Cell(NamedTuple):
    name: str
    """Its folder's."""
    config: Config
    choices: Mapping[str, str]
    """Axis of the product to the short name of its entry; empty for a cell of one's own."""


class Part(NamedTuple):
    """A value of the manifest that is laid over a config."""

    at: Keys
    """Where it stands in the manifest."""
    to: Keys
    """Where it goes in the config."""


class Draft(NamedTuple):
    """A cell before its config is put together."""

    name: str
    at: Keys
    """Where the manifest speaks of it."""
    choices: Mapping[str, str]
    parts: Sequence[Part]


def composed(
    base: Document, manifest: Document, parts: Iterable[Part], overrides: Sequence[str] = ()
) -> Document:
    """`base` with the parts laid over it, one after the other; sections merge key by key."""
    whole = Document(
        manifest.source, copy.deepcopy(base.content), dict(base.keys), dict(base.values)
    )
    for part in parts:
        lay(whole, part.to, manifest, part.at)
    for override in overrides:
        put(override, whole)
    return whole


def lay(whole: Document, to: Keys, manifest: Document, at: Keys) -> None:
    """Puts what the manifest holds at `at` into the config at `to`, with its place."""
    value = manifest.value(at)
    if isinstance(value, Mapping):
        for key in value:
            lay(whole, (*to, key), manifest, (*at, key))
    elif to:
        to = way(whole.content, to)
        put_at(whole.content, to, value)
        replace_places(to, whole, manifest.place(at))
    if at in manifest.keys:
        whole.keys[to] = manifest.keys[at]


def own_document(path: Path) -> Document:
    """A config file as the base of cells: checked by itself, its relative paths made absolute,
    since cells are read from the manifest's folder.
    """
    document = read_file(path)
    config = checked(document, path.parent)
    ground(document.content, config.model_dump())
    return document


def ground(content: dict[str, Any], resolved: Mapping[str, Any]) -> None:
    """Puts the resolved text in the place of each one written."""
    for key, value in content.items():
        found = resolved.get(key)
        if isinstance(value, dict) and isinstance(found, Mapping):
            ground(value, found)
        elif isinstance(value, str) and isinstance(found, str):
            content[key] = found
