"""What two study keys differ in, in the words of a config: why a search begins anew."""

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from kdsearch.rundir import RunDir
from kdsearch.spaces.marked import written

Key: TypeAlias = Mapping[str, Any]

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "version": "version of the search itself",
        "data": "images",
        "target": "latency target (runtime, threads, batch, device, networks)",
        "batch": "search.batch_size",
        "seed": "seed",
        "plan.steps": "steps of a full distillation (distill.epochs, images)",
        "plan.augment": "data.augment",
        "plan.precision": "precision",
    }
)
"""What entries of a key are called where a config calls them otherwise."""
SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "plan": "distill.",
        "budget": "budget.",
        "sources": "source of method ",
        "functions": "objective ",
    }
)
"""What stands before the names in a mapping of a key."""
ELSEWHERE = ("teacher", "supernet")
"""Results of other stages, which have their own names."""
FOLLOWS = ("plan.seed",)
"""Changes with something else that is told."""
ABSENT = "not set"
LONGEST = 80
"""Letters of a value."""


def switched(run: RunDir, study: str, key: Key) -> list[str]:
    """What a run is told that turns to another study than it was at: why, and what is kept."""
    facts = run.facts()
    if facts.get("study") in (None, study):
        return []
    begun = run.journal(study).exists()
    turn = "its own study goes on" if begun else "a new study begins"
    kept = f"{turn}, the old one stays in {run.journal(facts['study']).name}"
    *lines, last = differences(facts.get("study_key", {}), key) or ["another search"]
    return [*lines, f"{last}; {kept}"]


def differences(before: Key, after: Key) -> list[str]:
    """One line each, 'search.vary.learning_rate: [0.05] → [0.02, 0.05]'; none for equal keys.

    Keys are those of run.json's `study_key`, maybe as an older version wrote it: what one of
    them does not have is 'not set'.
    """
    old, new = plain(before), plain(after)
    names = dict.fromkeys([*new, *old])
    return [line for name in names for line in entry(name, old.get(name), new.get(name))]


def plain(key: Key) -> dict[str, Any]:
    """As it reads back from a file: tuples are lists."""
    found: dict[str, Any] = json.loads(json.dumps(key))
    return found


def entry(name: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if name in TOLD:
        yield from TOLD[name](old or {}, new or {})
    elif name in SECTIONS:
        yield from mapped(name, old or {}, new or {})
    else:
        own = name if name in ELSEWHERE else f"search.{name}"
        yield changed(NAMES.get(name, own), words(old), words(new))


def mapped(name: str, old: Key, new: Key) -> Iterator[str]:
    for part in dict.fromkeys([*new, *old]):
        path = f"{name}.{part}"
        if old.get(part) != new.get(part) and path not in FOLLOWS:
            called = NAMES.get(path, f"{SECTIONS[name]}{part}")
            yield changed(called, words(old.get(part)), words(new.get(part)))


def space(old: Key, new: Key) -> Iterator[str]:
    """Axis by axis where both have the same ones."""
    ours, theirs = (key.get("axes", {}) for key in (old, new))
    if old.get("family") != new.get("family") or set(ours) != set(theirs):
        both = ((old, ours), (new, theirs))
        yield changed("space", *(f"{k.get('family')}, {len(a)} choices" for k, a in both))
        return
    for name, values in theirs.items():
        if ours[name] != values:
            yield changed(f"space, {name}", words(ours[name]), words(values))


def methods(old: Key, new: Key) -> Iterator[str]:
    if list(old) != list(new):
        yield changed("distill.methods", words(list(old)), words(list(new)))
    for method in new:
        if method in old:
            yield from axes(f"distill.knobs.{method}.", old[method], new[method])


def training(old: Key, new: Key) -> Iterator[str]:
    yield from axes("search.vary.", without_teacher(old), without_teacher(new))
    if old.get("teacher") != new.get("teacher"):
        several = [key.get("teacher", {}).get("values", ["teacher"]) for key in (old, new)]
        yield changed("teachers", *map(words, several))


def without_teacher(key: Key) -> dict[str, Any]:
    return {name: axis for name, axis in key.items() if name != "teacher"}


def axes(prefix: str, old: Key, new: Key) -> Iterator[str]:
    for name in dict.fromkeys([*new, *old]):
        if old.get(name) != new.get(name):
            yield changed(f"{prefix}{name}", axis(old.get(name)), axis(new.get(name)))


def teachers(old: Key, new: Key) -> Iterator[str]:
    """Of those that are there before and after; the others are told by the training."""
    for name in new:
        if name in old and old[name] != new[name]:
            yield changed(f"teacher {name}", words(old[name]), words(new[name]))


TOLD = MappingProxyType(
    {"space": space, "methods": methods, "training": training, "teachers": teachers}
)
"""Entries of a key that have a way of their own to be told."""


def changed(name: str, old: str, new: str) -> str:
    return f"{name}: {old} → {new}"


def axis(content: Key | None) -> str:
    if content is None:
        return ABSENT
    if "values" in content:
        return words(content["values"])
    even = " (logarithmic)" if content.get("log") else ""
    return f"{content['low']:g} to {content['high']:g}{even}"


def words(value: Any) -> str:
    """As a config writes it, in one line that is not too long."""
    text = ABSENT if value is None else written(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
