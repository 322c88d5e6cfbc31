"""Objectives as a person reads them: a short title, and the value in the unit that suits it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from kdsearch.core.costs_named import cost_and_target
from kdsearch.core.quantities import count, microjoules, milliseconds, percent, plain_number

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "accuracy": "accuracy",
        "balanced_accuracy": "balanced acc.",
        "macro_f1": "macro-F1",
        "calibration_error": "calib. error",
        "latency_ms": "latency p50",
        "latency_p95_ms": "latency p95",
        "latency_p99_ms": "latency p99",
        "params": "params",
        "macs": "MACs",
        "energy_uj": "energy est.",
    }
)
UNITS: Mapping[str, Callable[[float | None], str]] = MappingProxyType(
    {
        "accuracy": percent,
        "balanced_accuracy": percent,
        "latency_ms": milliseconds,
        "latency_p95_ms": milliseconds,
        "latency_p99_ms": milliseconds,
        "params": count,
        "macs": count,
        "energy_uj": microjoules,
    }
)


def title(name: str) -> str:
    """Of an objective, 'latency p50 @edge' on a further target; your own have their name."""
    cost, target = cost_and_target(name)
    return f"{TITLES[cost]} @{target}" if target and cost in TITLES else TITLES.get(name, name)


def amount(name: str, value: float | None) -> str:
    """A value of the objective `name`: '97.2 %', '1.2 M', '0.034'."""
    return UNITS.get(cost_and_target(name)[0], plain_number)(value)
