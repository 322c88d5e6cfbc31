"""The way from an override's keys to a value, also into a list: 'latency.edge.threads'."""

from collections.abc import Mapping, Sequence
from typing import Any

from kdsearch.spaces.marked import Keys


def way(content: Any, keys: Keys) -> Keys:
    """`keys` with positions in lists as numbers; in a list a key is one, or an entry's name."""
    found, steps = content, []
    for key in keys:
        position = place_in(found, key) if isinstance(found, tuple) else None
        steps.append(key if position is None else position)
        found = inner(found, steps[-1])
    return tuple(steps)


def place_in(entries: Sequence[Any], key: str | int) -> int | None:
    """Which of the entries is meant; None where none is."""
    number = int(key) if str(key).isdecimal() else None
    if number is not None:
        return number if number < len(entries) else None
    names = [entry.get("name") if isinstance(entry, Mapping) else None for entry in entries]
    return names.index(key) if key in names else None


def inner(value: Any, step: str | int) -> Any:
    """What stands one step further; None where nothing does."""
    try:
        return value[step]
    except (LookupError, TypeError):
        return None


def put_at(content: dict[str, Any], steps: Keys, value: Any) -> None:
    """Sets a value within the content; what is in the way and no section becomes one."""
    content.update(replaced(content, steps, value))


def replaced(old: Any, steps: Keys, value: Any) -> Any:
    """`old` with the value in it, in its place in lists, under its keys elsewhere."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    changed = replaced(inner(old, step), rest, value)
    if isinstance(old, tuple) and isinstance(step, int):
        return (*old[:step], changed, *old[step + 1 :])
    return {**(old if isinstance(old, Mapping) else {}), step: changed}
