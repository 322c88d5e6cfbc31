"""Whether a spec that was read is one: kinds and sizes of all that a network is built from."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from kdsearch.core.shapes import (
    Shape,
    is_choice,
    is_count,
    is_number,
    is_text,
    list_of,
    mapping_of,
    or_none,
    record,
)
from kdsearch.export.format import Spec
from kdsearch.nets.resolution import AXIS
from kdsearch.teachers.make import Origin

OWN = ("module:", "checkpoint:", "object")
"""How names begin that stand for code of the user's own, or for what such code made."""
LARGEST = 65_536
"""Of a size or a choice; of all that says how many layers there are, see `MOST_LAYERS`."""
MOST_LAYERS = 1_000
MOST_VALUES = 2**24
"""Pixels times channels of an image: 2364 pixels square where it is coloured."""
ORIGIN = frozenset(field.name for field in fields(Origin))


def is_size(value: object) -> bool:
    return isinstance(value, int) and is_count(value) and 1 <= value <= LARGEST


def are_choices(value: object) -> bool:
    if not mapping_of(is_choice)(value):
        return False
    assert isinstance(value, dict)
    numbers = {name: one for name, one in value.items() if not isinstance(one, str)}
    if any(is_number_written(one) for one in value.values() if isinstance(one, str)):
        return False
    layers = sum(one for name, one in numbers.items() if name.endswith("depth"))
    return layers <= MOST_LAYERS and all(0 <= one <= LARGEST for one in numbers.values())


def is_number_written(text: str) -> bool:
    """Whether int or float would read it, which no bound on numbers holds for."""
    try:
        float(text)
    except ValueError:
        return False
    return True


SPEC: Shape = record(
    {
        "family": or_none(is_text),
        "architecture": are_choices,
        "channels": is_size,
        "classes": list_of(is_text, fewest=1),
        "size": is_size,
        "mean": list_of(is_number),
        "std": list_of(is_number),
    },
    {"source": is_text},
)
BROUGHT: Shape = record(
    {
        "network": lambda value: is_text(value) and value != "family",
        "weights": lambda value: value is None,
    },
    {
        "family": is_text,
        "architecture": are_choices,
        "size": or_none(is_size),
        "mean": or_none(list_of(is_number)),
        "std": or_none(list_of(is_number)),
        "taps": or_none(list_of(is_text)),
    },
)


def is_spec(content: object) -> bool:
    """Whether `rebuilt` may be given it."""
    if not SPEC(content):
        return False
    assert isinstance(content, dict)
    if any(len(content[name]) != content["channels"] for name in ("mean", "std")):
        return False
    if "origin" not in content:
        return content["family"] is not None and is_shown_little(content, {})
    origin = content["origin"]
    fits = BROUGHT(origin) and set(origin) <= ORIGIN
    return fits and is_shown_little(content, origin)


def is_shown_little(content: Mapping[str, Any], origin: Mapping[str, Any]) -> bool:
    """Whether its images are of a size that fits into memory, wherever that is said."""
    sides = (content["size"], content["architecture"].get(AXIS), origin.get("size"))
    side = max(one for one in sides if isinstance(one, int | float))
    return bool(content["channels"] * side**2 <= MOST_VALUES)


def own_code(spec: Spec) -> str | None:
    """What of the user's own builds this student, where it is so; running that is their say."""
    origin = spec.get("origin", {})
    names = (origin.get("network"), origin.get("family"), spec["family"])
    return next((name for name in names if name and name.startswith(OWN)), None)
