"""Whether JSON that was read has the kinds and keys that its readers rely on."""

import math
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

Shape: TypeAlias = Callable[[object], bool]
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def is_number(value: object) -> bool:
    """Infinity is none, and neither is NaN or a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and is_finite(value)


def is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def is_count(value: object) -> bool:
    return isinstance(value, int) and is_number(value) and value >= 0


def is_positive(value: object) -> bool:
    return is_number(value) and value > 0  # type: ignore[operator]


def is_share(value: object) -> bool:
    return is_number(value) and 0 <= value <= 1  # type: ignore[operator]


def is_text(value: object) -> bool:
    return isinstance(value, str)


def is_plain_name(value: object) -> bool:
    """A word that may name a file or folder, and leads nowhere else."""
    return isinstance(value, str) and PLAIN.fullmatch(value) is not None


def is_plain_path(value: object) -> bool:
    """Plain names, one in the other."""
    return isinstance(value, str) and all(map(is_plain_name, value.split("/")))


def is_choice(value: object) -> bool:
    return isinstance(value, str) or is_number(value)


def is_interval(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value))


def mapping_of(shape: Shape, *, fewest: int = 0) -> Shape:
    """Any keys."""
    return lambda value: (
        isinstance(value, dict)
        and len(value) >= fewest
        and all(isinstance(key, str) and shape(one) for key, one in value.items())
    )


def list_of(shape: Shape, *, fewest: int = 0) -> Shape:
    return lambda value: (
        isinstance(value, list) and len(value) >= fewest and all(map(shape, value))
    )


def record(needed: Mapping[str, Shape], more: Mapping[str, Shape] | None = None) -> Shape:
    """All that is needed, each of its shape; what is in `more` of its shape where it is there;
    and whatever else.
    """
    known = {**needed, **(more or {})}

    def fits(value: object) -> bool:
        return (
            isinstance(value, dict)
            and all(key in value for key in needed)
            and all(shape(value[key]) for key, shape in known.items() if key in value)
        )

    return fits


def or_none(shape: Shape) -> Shape:
    return lambda value: value is None or shape(value)
