"""Whether a spec that was read is one: kinds and sizes of all that a network is built from."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from kdsearch.export.format import Spec

MODULE = "module:"
LARGEST = 65_536
"""Of a size or a choice; of what builds many layers, see `MOST_LAYERS`."""
MOST_LAYERS = 1_000
MOST_CLASSES = 1_000_000


def is_count(value: object, most: int = LARGEST) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def is_number(value: object) -> bool:
    """Infinity is none, and neither is NaN."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and -float("inf") < value < float("inf")
    )


def are_choices(value: object) -> bool:
    return (
        isinstance(value, dict)
        and all(isinstance(name, str) and is_choice(v) for name, v in value.items())
        and sum(v for n, v in value.items() if n.endswith("depth") and is_number(v))
        <= MOST_LAYERS
    )


def is_choice(value: object) -> bool:
    return isinstance(value, str) or (is_number(value) and 0 <= value <= LARGEST)  # type: ignore[operator]


def are_names(value: object) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= MOST_CLASSES
        and all(isinstance(name, str) for name in value)
    )


def are_numbers(value: object) -> bool:
    return isinstance(value, list) and all(map(is_number, value))


RULES: Mapping[str, Callable[[object], bool]] = MappingProxyType(
    {
        "family": lambda value: value is None or isinstance(value, str),
        "architecture": are_choices,
        "channels": is_count,
        "classes": are_names,
        "size": is_count,
        "mean": are_numbers,
        "std": are_numbers,
    }
)
ORIGIN = frozenset(
    {"network", "family", "architecture", "weights", "size", "mean", "std", "taps"}
)


def is_spec(content: object) -> bool:
    """Whether `rebuilt` may be given it."""
    if not isinstance(content, dict) or not all(
        name in content and holds(content[name]) for name, holds in RULES.items()
    ):
        return False
    numbers = all(len(content[name]) == content["channels"] for name in ("mean", "std"))
    if "origin" not in content:
        return numbers and content["family"] is not None
    origin = content["origin"]
    return (
        numbers
        and isinstance(origin, dict)
        and set(origin) <= ORIGIN
        and isinstance(origin.get("network"), str)
        and origin.get("weights") is None
    )


def own_code(spec: Spec) -> str | None:
    """What of the user's own this student is built by, where it is; running it is their say."""
    name = spec["origin"]["network"] if "origin" in spec else spec["family"]
    return str(name) if not is_ours(str(name)) else None


def is_ours(name: str) -> bool:
    return not name.startswith((MODULE, "checkpoint:", "object"))
