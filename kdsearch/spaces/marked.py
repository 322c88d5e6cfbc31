"""YAML read with the place of every key and value: PyYAML's parser, YAML 1.2's core types.

So `1e-3` is a number and `no`, `12:30` and `2024-01-01` are text. Sequences become tuples.
Aliases, tags, keys given twice and several documents in one file are errors.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from kdsearch.errors import ConfigError

Keys = tuple[str | int, ...]
"""The way to a value: names of mappings, positions in sequences."""

TAG = "tag:yaml.org,2002:"
NULL = re.compile(r"(~|null|Null|NULL|)$")
BOOL = re.compile(r"(true|True|TRUE|false|False|FALSE)$")
WHOLE = re.compile(r"[-+]?[0-9]+$")
REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
PATTERNS = (
    ("null", NULL, ["~", "n", "N", ""]),
    ("bool", BOOL, list("tTfF")),
    ("int", WHOLE, list("-+0123456789")),
    ("float", REAL, list("-+0123456789.")),
)
SCALARS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        f"{TAG}str": str,
        f"{TAG}null": lambda text: None,
        f"{TAG}bool": lambda text: text.lower() == "true",
        f"{TAG}int": int,
        f"{TAG}float": float,
    }
)


class Loader(yaml.SafeLoader):
    """PyYAML's safe loader with YAML 1.2's core types."""

    yaml_implicit_resolvers = {}


class Dumper(yaml.SafeDumper):
    """Quotes what `Loader` would not read as text."""

    yaml_implicit_resolvers = {}


for name, pattern, first in PATTERNS:
    Loader.add_implicit_resolver(f"{TAG}{name}", pattern, first)
    Dumper.add_implicit_resolver(f"{TAG}{name}", pattern, first)


def quoted(dumper: Dumper, text: str) -> yaml.ScalarNode:
    """Text as YAML; what a line cannot show is escaped."""
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar(f"{TAG}str", text, style=style)


Dumper.add_representer(str, quoted)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written; line and column count from 1, 0 where there is no text."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Document:
    """What was read, and where each key and value stood."""

    source: str
    content: dict[str, Any]
    keys: dict[Keys, Place] = field(default_factory=dict)
    values: dict[Keys, Place] = field(default_factory=dict)
    numbered: bool = True
    """Whether line and column mean something to who wrote the text."""

    def at(self, mark: Any) -> Place:
        """The place of a PyYAML mark; None is the text as a whole."""
        if mark is None or not self.numbered:
            return Place(self.source)
        return Place(self.source, mark.line + 1, mark.column + 1)

    def place(self, path: Keys, *, key: bool = False) -> Place:
        """Of the value (or the key) at `path`, or of the nearest thing around it."""
        if key and path in self.keys:
            return self.keys[path]
        around = (path[:n] for n in range(len(path), -1, -1))
        return next((self.values[p] for p in around if p in self.values), Place(self.source))

    def value(self, path: Keys) -> Any:
        """What stands at `path`; raises LookupError where nothing does."""
        found: Any = self.content
        for step in path:
            found = found[step]
        return found

    def error(self, path: Keys, rule: str, *, key: bool = False) -> ConfigError:
        """One line: place, dotted key, value if one was written, and what is wrong with it."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        dotted = one_line("".join(steps).removeprefix("."))
        try:
            written = "" if key else f" = {shown(self.value(path))}"
        except (LookupError, TypeError):
            written = ""
        subject = f"{dotted}{written}: " if path else ""
        return ConfigError(f"{self.place(path, key=key)}: {subject}{one_line(rule)}")


def one_line(text: str) -> str:
    """`text` with whatever would break a line, or a terminal, escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def shown(value: Any, width: int = 60) -> str:
    """A value as a config would spell it, at most about `width` characters."""
    if isinstance(value, Mapping):
        text = "{" + ", ".join(f"{k}: {shown(v)}" for k, v in value.items()) + "}"
    elif isinstance(value, list | tuple):
        text = "[" + ", ".join(map(shown, value)) + "]"
    elif value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    else:
        text = repr(value)
    return one_line(text if len(text) <= width else f"{text[: width - 1]}…")


def read_file(path: Path) -> Document:
    """Reads a YAML file whose top level is a mapping; raises ConfigError in one line."""
    return read_text(file_text(path), one_line(str(path)))


def file_text(path: Path) -> str:
    """Raises ConfigError in one line where there is none."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise ConfigError(f"{one_line(str(path))}: {reason}; a YAML file is needed") from None
    except (UnicodeDecodeError, ValueError):
        raise ConfigError(f"{one_line(str(path))}: not UTF-8 text; save it as UTF-8") from None


def read_text(text: str, source: str) -> Document:
    """As `read_file`; `source` names the text in errors. An empty text is an empty mapping."""
    document = Document(source, {})
    node = compose(text, document)
    if node is None or (isinstance(node, yaml.ScalarNode) and node.tag == f"{TAG}null"):
        return document
    content = build(node, (), document)
    if not isinstance(content, dict):
        raise document.error(
            (), f"needs keys and values at its top level, got {shown(content)}"
        )
    document.content.update(content)
    return document


def read_value(text: str, source: str) -> Any:
    """One value in YAML's spelling: `5`, `1e-3`, `[a, b]`, `{low: 0, high: 1}`."""
    document = Document(source, {}, numbered=False)
    node = compose(text, document)
    return None if node is None else build(node, (), document)


def written(value: Any) -> str:
    """One value in YAML's spelling, on one line, that reads back as it is."""
    plain = list(value) if isinstance(value, tuple) else value
    if isinstance(plain, Mapping):
        plain = dict(plain)
    text: str = yaml.dump(
        plain, Dumper=Dumper, default_flow_style=True, width=2**31, allow_unicode=True
    )
    return text.removesuffix("...\n").rstrip("\n")


def compose(text: str, document: Document) -> yaml.Node | None:
    """PyYAML's nodes; every way in which a text is not YAML is a ConfigError."""
    try:
        for event in yaml.parse(text, Loader=Loader):
            if isinstance(event, yaml.AliasEvent):
                place = document.at(event.start_mark)
                raise ConfigError(f"{place}: aliases (*name) are not read; write the value out")
        node: yaml.Node | None = yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        place = document.at(error.problem_mark or error.context_mark)
        raise ConfigError(f"{place}: not YAML: {problem(error)}") from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position].split("\n")
        place = Place(document.source, len(before), len(before[-1]) + 1)
        raise ConfigError(f"{place}: not YAML: an unprintable character; remove it") from None
    except (RecursionError, ValueError, OverflowError):
        raise ConfigError(
            f"{document.source}: not YAML: nested too deep or a bad escape"
        ) from None
    return node


def problem(error: yaml.MarkedYAMLError) -> str:
    text = one_line(" ".join(str(error.problem or error.context).split()))
    if "\\t" in text or "tab" in text.split():
        return "a tab; indent with spaces"
    return f"{text}; look at the quotes, colons and brackets around here"


def build(node: yaml.Node, path: Keys, document: Document) -> Any:
    """The plain value of a node; notes the place of everything inside it."""
    document.values[path] = document.at(node.start_mark)
    if isinstance(node, yaml.MappingNode) and node.tag == f"{TAG}map":
        return mapping(node, path, document)
    if isinstance(node, yaml.SequenceNode) and node.tag == f"{TAG}seq":
        return tuple(build(item, (*path, i), document) for i, item in enumerate(node.value))
    read = SCALARS.get(node.tag) if isinstance(node, yaml.ScalarNode) else None
    if read is None:
        raise document.error(path, f"the tag {node.tag!r} is not read; remove it")
    try:
        return read(node.value)
    except ValueError:
        rule = f"{shown(node.value)} cannot be read as a number"
        raise document.error(path, rule) from None


def mapping(node: yaml.MappingNode, path: Keys, document: Document) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            document.values[path] = document.at(key.start_mark)
            raise document.error(path, "a key is one word; got a list or a mapping")
        here = (*path, key.value)
        first = document.keys.get(here)
        document.keys[here] = document.at(key.start_mark)
        if first is not None:
            where = f"; first on line {first.line}" if first.line else "; remove one"
            raise document.error(here, f"given twice{where}", key=True)
        content[key.value] = build(value, here, document)
    return content
