"""Reads a config: text or mapping, then overrides, then every check; frozen at the end.

A relative path in `data.name: folder:PATH`, `data.root`, `space`, `weights` and
`search.start_from` is taken from the config file's folder if something is there, and from the
current folder otherwise. `store`, which a run makes, is taken from the file's folder unless it
is there in the current folder alone; with --set always from the current folder.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from kdsearch.config.checks import is_weights_file, problems
from kdsearch.config.explain import Finding, findings
from kdsearch.config.latency import Latency
from kdsearch.config.models import Config
from kdsearch.config.networks import Student, Teacher
from kdsearch.config.problem import UNKNOWN_KEY
from kdsearch.config.section import Section
from kdsearch.config.targets import named_plainly
from kdsearch.config.ways import inner, put_at, way
from kdsearch.errors import ConfigError
from kdsearch.spaces.marked import Document, Keys, Place, one_line, read_file, read_value
from kdsearch.spaces.shelf import is_path

Network = TypeVar("Network", Teacher, Student)
SET = "--set "
"""What the place of an override begins with."""
DOTTED = ("distill.knobs.", "budget.")
"""Names of knobs, and some of costs, hold a dot of their own."""


def read_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Reads a YAML file; `overrides` like 'search.trials=50' win over it.

    Raises ConfigError in one line: file:line:column, dotted key, value, rule, way out.
    """
    document = read_file(Path(path))
    for override in overrides:
        put(override, document)
    return checked(document, Path(path).parent)


def parse_config(
    mapping: Mapping[str, Any], source: str = "<python>", overrides: Sequence[str] = ()
) -> Config:
    """As `read_config`, from nested mappings; `source` stands for the file in errors."""
    if not isinstance(mapping, Mapping):
        raise ConfigError(f"{source}: a config is a mapping, got {type(mapping).__name__}")
    document = Document(source, plain(mapping))
    for override in overrides:
        put(override, document)
    return checked(document, Path())


def checked(document: Document, folder: Path) -> Config:
    content = {
        name: {} if value is None and is_section(name) else value
        for name, value in document.content.items()
    }
    try:
        config = named_plainly(resolved(Config.model_validate(content), folder))
        if config.store is not None:
            home = Path() if is_set(("store",), document) else folder
            config = config.model_copy(update={"store": made(config.store, home)})
    except ValidationError as error:
        raise first(findings(error.errors(), document), document) from None
    wrong = [(path, rule, rule.startswith(UNKNOWN_KEY)) for path, rule in problems(config)]
    if wrong:
        raise first(wrong, document)
    return config


def first(wrong: Sequence[Finding], document: Document) -> ConfigError:
    """The error of the finding that stands first in the text; overrides come last."""

    def position(found: Finding) -> tuple[bool, int, int]:
        place = document.place(found[0], key=found[2])
        return (place.line == 0, place.line, place.column)

    path, rule, is_key = min(wrong, key=position)
    return document.error(path, rule, key=is_key)


def is_section(name: str) -> bool:
    """Whether an empty value under this key means a section left at its defaults."""
    return name in Config.model_fields and isinstance(
        Config.model_fields[name].default, Section
    )


def plain(value: Any) -> Any:
    """Mappings as dicts, lists as tuples, paths as text: what YAML would have given."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return tuple(plain(inner) for inner in value)
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def put(override: str, document: Document) -> None:
    """Sets 'a.b=value' in the document; the value is read as YAML."""
    source = f"{SET}{one_line(override)}"
    dotted, equals, text = override.partition("=")
    if not equals or not dotted.strip():
        raise ConfigError(f"{source}: must have the form a.b=value")
    keys = split(dotted.strip())
    steps = way(document.content, keys)
    held: Any = document.content
    for n in range(1, len(keys)):
        held = inner(held, steps[n - 1])
        if isinstance(held, tuple) and not isinstance(steps[n], int):
            raise ConfigError(f"{source}: {in_list(keys, n, held)}")
        if held is not None and not isinstance(held, dict | tuple):
            raise ConfigError(f"{source}: {'.'.join(keys[:n])} is no section, it holds a value")
    put_at(document.content, steps, read_value(text, source))
    replace_places(steps, document, Place(source))


def in_list(keys: Sequence[str], n: int, held: Sequence[Any]) -> str:
    """Why the n-th key finds nothing in a list, with what would."""
    at, rest = ".".join(keys[:n]), "".join(f".{key}" for key in keys[n + 1 :] or keys[n:])
    names = [entry["name"] for entry in held if isinstance(entry, dict) and "name" in entry]
    which = [str(i) for i in range(len(held))] if len(names) < len(held) else names
    return f"{at} is a list; say which of it: {at}.{which[0] if which else 0}{rest}"


def is_set(keys: Keys, document: Document) -> bool:
    """Whether an override put the value there."""
    return document.place(keys).source.startswith(SET)


def split(dotted: str) -> tuple[str, ...]:
    for section in DOTTED:
        if dotted.startswith(section):
            return (*section.rstrip(".").split("."), dotted.removeprefix(section))
    return tuple(dotted.split("."))


def replace_places(keys: Keys, document: Document, place: Place) -> None:
    """What stood at and below `keys` is gone; the override stands there now."""
    for places in (document.keys, document.values):
        for path in [path for path in places if path[: len(keys)] == keys]:
            del places[path]
        for n in range(1, len(keys) + 1):
            places.setdefault(keys[:n], place)


def resolved(config: Config, folder: Path) -> Config:
    """The config with its relative paths made absolute."""
    data = config.data
    kind, _, path = data.name.partition(":")
    name = f"folder:{absolute(path, folder)}" if kind == "folder" and path else data.name
    root = data.root and absolute(data.root, folder)
    space = absolute(config.space, folder) if is_path(config.space) else config.space
    search = config.search
    start_from = search.start_from and absolute(search.start_from, folder)
    return config.model_copy(
        update={
            "data": data.model_copy(update={"name": name, "root": root}),
            "teacher": with_folder(with_weights(config.teacher, folder), folder),
            "teachers": {
                name: with_folder(with_weights(it, folder), folder)
                for name, it in config.teachers.items()
            },
            "student": with_weights(config.student, folder),
            "space": space,
            "latency": with_profiles(config.latency, folder),
            "search": search.model_copy(update={"start_from": start_from}),
        }
    )


def with_profiles(
    latency: Latency | tuple[Latency, ...], folder: Path
) -> Latency | tuple[Latency, ...]:
    """The targets with the files of other devices' profiles made absolute."""
    if not isinstance(latency, Latency):
        return tuple(with_profile(one, folder) for one in latency)
    return with_profile(latency, folder)


def with_profile(one: Latency, folder: Path) -> Latency:
    if one.profile is None:
        return one
    return one.model_copy(update={"profile": absolute(one.profile, folder)})


def with_weights(network: Network, folder: Path) -> Network:
    """The section with a weights file made absolute."""
    if network.weights is None or not is_weights_file(network.weights):
        return network
    return network.model_copy(update={"weights": absolute(network.weights, folder)})


def with_folder(teacher: Teacher, folder: Path) -> Teacher:
    """The section with the folder of another run's teacher made absolute."""
    kind, _, path = teacher.network.partition(":")
    if kind != "checkpoint" or not path:
        return teacher
    return teacher.model_copy(update={"network": f"{kind}:{absolute(path, folder)}"})


def absolute(path: str, folder: Path) -> str:
    """`path` from `folder` if something is there, else from the current folder."""
    try:
        home = Path(path).expanduser()
        beside = folder / home
        return str((beside if beside.exists() else home).absolute())
    except (OSError, RuntimeError, ValueError):
        return path  # a name too long or '~nobody': whoever opens it says that it is not there


def made(path: str, folder: Path) -> str:
    """As `absolute`, but from `folder` where nothing is there in either."""
    found = absolute(path, folder)
    try:
        home = Path(path).expanduser()
        return found if Path(found).exists() else str((folder / home).absolute())
    except (OSError, RuntimeError, ValueError):
        return path  # as `absolute` does
