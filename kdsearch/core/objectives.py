"""What a search trades against each other: names, directions, and where values come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from kdsearch.core.costs_named import TIMED, cost_and_target, of_further
from kdsearch.core.pareto import Values

Direction = Literal["maximize", "minimize"]
MODULE = "module:"
"""Before the name of a function of the user's own."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One axis of the front."""

    name: str
    maximised: bool
    scored: bool
    """True: of a trained student's predictions, anew at each rung. False: a cost of the
    architecture, known before any training."""
    about: str = ""
    worst: float | Literal["chance"] | None = None
    """Of a scored one: where its axis of the hypervolume starts. None: it has none there."""
    function: str | None = None
    """'module:pkg.mod:function' of the user's own; see `measure.scores`."""

    @property
    def direction(self) -> Direction:
        return "maximize" if self.maximised else "minimize"


def scored(
    name: str, maximised: bool, worst: float | Literal["chance"], about: str
) -> Objective:
    return Objective(name, maximised, True, about, worst)


def cost(name: str, about: str) -> Objective:
    return Objective(name, False, False, about)


KNOWN = MappingProxyType(
    {
        one.name: one
        for one in (
            scored("accuracy", True, "chance", "share of images named rightly (top-1)"),
            scored("balanced_accuracy", True, "chance", "mean over classes of that share"),
            scored("macro_f1", True, 0.0, "mean over classes of the F1 score"),
            scored("calibration_error", False, 1.0, "expected calibration error, 15 bins"),
            cost("latency_ms", "median time of one forward pass, measured, in milliseconds"),
            cost("latency_p95_ms", "its 95th percentile over calls, in milliseconds"),
            cost("latency_p99_ms", "its 99th percentile over calls, in milliseconds"),
            cost("params", "number of parameters"),
            cost("macs", "multiply-accumulate operations per image"),
            cost("energy_uj", "energy per image in µJ, estimated from macs and params"),
        )
    }
)


def ours(name: str) -> Objective | None:
    """The one of this name, also on a further target: 'latency_ms@edge'; None of others."""
    cost, target = cost_and_target(name)
    if not target:
        return KNOWN.get(name)
    if cost not in TIMED:
        return None
    return replace(KNOWN[cost], name=name, about=f"{KNOWN[cost].about}, on target {target}")


def is_cost(name: str) -> bool:
    """Whether it is one of our costs, on whichever target."""
    one = ours(name)
    return one is not None and not one.scored


def known_on(targets: Sequence[str]) -> dict[str, Objective]:
    """All of ours in a run with these targets, the first first."""
    return {**KNOWN, **{n: one for n in of_further(targets) if (one := ours(n)) is not None}}


def minimised(values: Sequence[float], objectives: Sequence[Objective]) -> Values:
    """Values in the objectives' order, each the smaller the better."""
    pairs = zip(values, objectives, strict=True)
    return tuple(-value if one.maximised else value for value, one in pairs)


def in_order(values: Mapping[str, float], objectives: Sequence[Objective]) -> Values:
    """Of values by name those of the objectives, each the smaller the better."""
    return minimised([values[one.name] for one in objectives], objectives)


def beyond_accuracy(objectives: Sequence[Objective]) -> tuple[Objective, ...]:
    """The scored ones that a result has to be asked for; it has its accuracy anyway."""
    return tuple(one for one in objectives if one.scored and one != KNOWN["accuracy"])
