"""A config as YAML with every default written out and each key's sentence above it."""

import textwrap
from collections.abc import Iterator
from typing import Any

from kdsearch.config.latency import Latency
from kdsearch.config.models import Config
from kdsearch.config.networks import Teacher
from kdsearch.config.section import Section
from kdsearch.spaces.marked import written

WIDTH = 96


def resolved_yaml(config: Config) -> str:
    """YAML that reads back as an equal config."""
    return "\n".join(lines(config, 0)) + "\n"


def lines(section: Section, indent: int) -> Iterator[str]:
    margin = " " * indent
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        yield from comment(field.description or type(value).__doc__ or "", margin)
        yield from entry(name, value, indent)
        if indent == 0:
            yield ""
    for name, value in (section.model_extra or {}).items():
        yield f"{margin}{written(name)}: {written(plain(value))}"


def entry(name: str, value: Any, indent: int) -> Iterator[str]:
    """A key with its value: a section, several of them, or a value on one line."""
    margin = " " * indent
    if isinstance(value, Section):
        yield f"{margin}{name}:"
        yield from lines(value, indent + 2)
    elif is_named(value):
        yield f"{margin}{name}:"
        for key, inner in value.items():
            yield f"{margin}  {key}:"
            yield from lines(inner, indent + 4)
    elif is_listed(value):
        yield f"{margin}{name}:"
        for inner in value:
            yield f"{margin}  -"
            yield from lines(inner, indent + 4)
    else:
        yield f"{margin}{name}: {written(plain(value))}"


def is_named(value: object) -> bool:
    """Whether it holds teachers, each under a name; {} is written as it is."""
    return isinstance(value, dict) and any(isinstance(v, Teacher) for v in value.values())


def is_listed(value: object) -> bool:
    """Whether it is a list of targets."""
    return isinstance(value, tuple) and any(isinstance(v, Latency) for v in value)


def comment(sentence: str, margin: str) -> list[str]:
    text = " ".join(sentence.split())
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"{margin}# ", subsequent_indent=f"{margin}# "
    )


def plain(value: object) -> object:
    """Models inside a value as mappings, tuples as lists."""
    if isinstance(value, Section):
        return plain(value.model_dump())
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value
