"""Names of latencies as costs: which quantile, on which of a run's targets.

The first target's stand alone (`latency_ms` is its median); every further one's end in its name
(`latency_ms@edge`). On the way in a quantile may be asked for by its own name, and the target
after the limit, as on the command line: `latency_ms.p95 = 6@edge`.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

AT = "@"
"""Between a latency and its target."""
QUANTILES: Mapping[str, str] = MappingProxyType(
    {"p50": "latency_ms", "p95": "latency_p95_ms", "p99": "latency_p99_ms"}
)
"""The cost of each quantile of a latency."""
TIMED = frozenset(QUANTILES.values())
"""Costs that take a measurement, as they are called on the first target."""
TARGET_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}", re.ASCII)
"""What a target may be called: it stands in the names of costs and of folders."""


def on_target(cost: str, target: str) -> str:
    """The cost's name on a further target; '' is the first."""
    return f"{cost}{AT}{target}" if target else cost


def cost_and_target(name: str) -> tuple[str, str]:
    """'latency_ms@edge' as ('latency_ms', 'edge'); the target is '' on the first."""
    cost, _, target = name.partition(AT)
    return cost, target


def is_timed(name: str) -> bool:
    """Whether it is a latency, on whichever target."""
    cost, at, target = name.partition(AT)
    return cost in TIMED and bool(target) == bool(at)


def of_further(targets: Sequence[str]) -> tuple[str, ...]:
    """The costs of all targets but the first, whose names these are in their order."""
    return tuple(on_target(cost, t) for t in targets[1:] for cost in QUANTILES.values())


def asked_cost(name: str, first: str = "") -> str:
    """The one name of a cost that may be written in several ways.

    'latency_ms.p95' is 'latency_p95_ms', also on a target; '@' and the first target's name go.
    Whatever is none of these comes back as it was.
    """
    cost, target = cost_and_target(name.strip())
    median, dot, quantile = cost.strip().partition(".")
    if dot and median == QUANTILES["p50"] and quantile in QUANTILES:
        cost = QUANTILES[quantile]
    target = target.strip()
    is_first = target == first and bool(first) and cost.strip() in TIMED
    return on_target(cost.strip(), "" if is_first else target)


def asked_bound(name: str, limit: str, first: str = "") -> tuple[str, str]:
    """A cost and its limit, 'latency_ms' and '6@edge' as 'latency_ms@edge' and '6'."""
    value, at, target = limit.partition(AT)
    whole = f"{name.strip()}{AT}{target.strip()}" if at else name
    return asked_cost(whole, first), value.strip()
