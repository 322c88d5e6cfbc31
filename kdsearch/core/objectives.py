"""What a search trades against each other: names, directions, and where values come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from kdsearch.core.pareto import Values


@dataclass(frozen=True, slots=True)
class Objective:
    """One axis of the front."""

    name: str
    maximised: bool
    scored: bool
    """True: of a trained student's predictions, anew at each rung. False: a cost of the
    architecture, known before any training."""


KNOWN = MappingProxyType(
    {
        one.name: one
        for one in (
            Objective("accuracy", maximised=True, scored=True),
            Objective("latency_ms", maximised=False, scored=False),
            Objective("params", maximised=False, scored=False),
            Objective("macs", maximised=False, scored=False),
        )
    }
)


def minimised(values: Sequence[float], objectives: Sequence[Objective]) -> Values:
    """Values in the objectives' order, each the smaller the better."""
    pairs = zip(values, objectives, strict=True)
    return tuple(-value if one.maximised else value for value, one in pairs)
