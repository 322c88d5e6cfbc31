"""The cells of a product, and what they are called: short, unique, safe as folders' names."""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from kdsearch.config.cells import Draft, Part
from kdsearch.spaces.marked import Document, Keys

NAME = re.compile(r"(?!\.)[\w.+-]{1,200}", re.ASCII)
"""What a cell may be called."""
JOINT = "--"
"""Between the names of entries in a cell's name."""
LONGEST = 40
"""Letters of an entry's name."""
Entry = str | Mapping[str, Any]


def training_or_network(text: str) -> Keys:
    is_network = ":" in text or text == "family"
    return ("teacher", "network" if is_network else "training")


@dataclass(frozen=True, slots=True)
class Axis:
    section: Keys
    """Where an entry's keys go."""
    of_name: Callable[[str], Keys] | None
    """Where a name alone goes."""
    heads: tuple[str, ...] = ()
    """Keys whose values are an entry's own name."""


AXES: Mapping[str, Axis] = MappingProxyType(
    {
        "data": Axis(("data",), lambda text: ("data", "name"), ("name",)),
        "teachers": Axis(("teacher",), training_or_network, ("network", "training")),
        "spaces": Axis(("space",), lambda text: ("space",)),
        "devices": Axis(("latency",), lambda text: ("latency", "runtime"), ("runtime",)),
        "budgets": Axis(("budget",), None),
    }
)


def product(cross: Mapping[str, Sequence[Entry]], document: Document) -> Iterator[Draft]:
    """Every combination of the axes that have entries; the last one changes fastest."""
    axes = {name: entries for name, entries in cross.items() if entries}
    if not axes:
        return
    named = {axis: short_names(axis, entries) for axis, entries in axes.items()}
    parts = {axis: parts_of(axis, entries, document) for axis, entries in axes.items()}
    for picked in itertools.product(*(range(len(entries)) for entries in axes.values())):
        chosen = dict(zip(axes, picked, strict=True))
        choices = {axis: named[axis][i] for axis, i in chosen.items()}
        over = [parts[axis][i] for axis, i in chosen.items()]
        yield Draft(JOINT.join(choices.values()), over[-1].at, choices, over)


def parts_of(axis: str, entries: Sequence[Entry], document: Document) -> list[Part]:
    rule, found = AXES[axis], []
    for number, entry in enumerate(entries):
        at: Keys = ("cross", axis, number)
        if not isinstance(entry, str):
            found.append(Part(at, rule.section))
        elif rule.of_name is None:
            raise document.error(at, "must be keys in braces, for example {params: 20%}")
        else:
            found.append(Part(at, rule.of_name(entry)))
    return found


def short_names(axis: str, entries: Sequence[Entry]) -> list[str]:
    """One for each entry: its own name, with its other keys where another has that already.

    An entry's name does not change when others are added after it.
    """
    names: list[str] = []
    for entry in entries:
        words = spoken(axis, entry)
        whole = safe("-".join(words)) or "base"
        numbered = (f"{whole}-{n}" for n in itertools.count(2))
        tried = (safe(words[0]) if words else whole, whole)
        taken = {name.casefold() for name in names}
        free = (n for n in itertools.chain(tried, numbered) if n and n.casefold() not in taken)
        names.append(next(free))
    return names


def spoken(axis: str, entry: Entry) -> list[str]:
    """An entry in words: its own name first, then its other keys with their values."""
    if isinstance(entry, str):
        return [last(entry)]
    known = dict(flat(entry))
    own = [last(worded(known.pop(key))) for key in AXES[axis].heads if key in known]
    others = [f"{key.rpartition('.')[2]}-{worded(value)}" for key, value in known.items()]
    return [*own, *others] if own else ["-".join(others)] if others else []


def flat(section: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def last(text: str) -> str:
    """'folder:a/birds' as 'birds', 'module:pkg.mod:factory' as 'factory', 'my.yaml' as 'my'."""
    name = PurePosixPath(text.rpartition(":")[2]).name
    return re.sub(r"\.ya?ml$", "", name)


def worded(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(map(worded, value))
    return str(value).replace("%", "pct")


def safe(text: str) -> str:
    """`text` as (part of) a folder's name; what has no place in one becomes a dash."""
    return re.sub(r"[^A-Za-z0-9_.+]+", "-", text).strip("-.")[:LONGEST].rstrip("-.")
