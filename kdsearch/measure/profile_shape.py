"""What a profile's file has to look like: a stranger may have written it."""

from collections.abc import Mapping

from kdsearch.core.shapes import (
    Shape,
    is_choice,
    is_count,
    is_interval,
    is_number,
    is_share,
    is_text,
    list_of,
    mapping_of,
    or_none,
    record,
)
from kdsearch.errors import PredictorError

SCHEMA = 1
LONGEST_MS = 600_000.0
"""Of one call."""
LARGEST = 1e15
"""Multiply-accumulates or bytes that a network has of one kind."""


def is_whole(value: object) -> bool:
    return is_count(value) and value != 0


def is_time(value: object) -> bool:
    return is_number(value) and 0 < value <= LONGEST_MS  # type: ignore[operator]


def is_amount(value: object) -> bool:
    return is_number(value) and 0 <= value <= LARGEST  # type: ignore[operator]


def is_flag(value: object) -> bool:
    return isinstance(value, bool)


def is_image(value: object) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(map(is_whole, value))


INTERVAL = or_none(is_interval)
LATENCY: Shape = record(
    {"p50_ms": is_time, "p95_ms": is_time, "ci95": is_interval, "rounds": is_count},
    {
        "load": or_none(is_number),
        "busy": is_flag,
        "p99_ms": or_none(is_time),
        "p95_ci95": INTERVAL,
        "p99_ci95": INTERVAL,
        "drift": or_none(is_number),
        "predicted": is_flag,
    },
)
AGREEMENT: Mapping[str, Shape] = {
    "networks": is_count,
    "within_10_percent": is_share,
    "within_10_percent_ci95": is_interval,
    "median_error": is_number,
    "tau": or_none(is_number),
    "tau_ci95": INTERVAL,
}
PARTS: Mapping[str, Shape] = {
    "schema": lambda value: value is not True and value == SCHEMA,
    "target": record(
        {"name": is_text, "runtime": is_text},
        {
            "threads": is_whole,
            "batch_size": is_whole,
            "precision": is_text,
            "layout": is_text,
            "size": or_none(is_whole),
        },
    ),
    "device": mapping_of(or_none(is_choice)),
    "family": is_text,
    "axes": mapping_of(list_of(is_choice, fewest=1), fewest=1),
    "shape": lambda value: (
        isinstance(value, list) and len(value) == 3 and all(map(is_whole, value))
    ),
    "quality": or_none(
        record(
            {
                **AGREEMENT,
                "regression": is_text,
                "coverage": is_share,
                "coverage_ci95": is_interval,
                "half_width": is_number,
                "ceiling": or_none(record(AGREEMENT)),
            }
        )
    ),
    "networks": list_of(
        record(
            {
                "architecture": mapping_of(is_choice, fewest=1),
                "footprint": mapping_of(is_amount, fewest=1),
                "latency": LATENCY,
                "again": or_none(LATENCY),
            }
        ),
        fewest=1,
    ),
}


def check_shape(content: object) -> None:
    """Raises PredictorError, with the part that a profile has otherwise."""
    if not isinstance(content, dict):
        raise PredictorError("no JSON object")
    for name, fits in PARTS.items():
        if name not in content:
            raise PredictorError(f"{name}: missing")
        if not fits(content[name]):
            raise PredictorError(f"{name}: has parts that no profile has")
    axes = content["axes"]
    seen = set()
    for at, row in enumerate(content["networks"]):
        point = row["architecture"]
        if point.keys() != axes.keys() or any(axes[n].count(v) == 0 for n, v in point.items()):
            raise PredictorError(f"networks[{at}]: not of the space that 'axes' names")
        if (key := tuple(sorted(point.items()))) in seen:
            raise PredictorError(f"networks[{at}]: a network that is there twice")
        seen.add(key)
