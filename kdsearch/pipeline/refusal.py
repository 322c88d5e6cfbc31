"""Why no student will do: the binding bound, the nearest student, the least there is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kdsearch.core.bounds_confidence import Known
from kdsearch.core.budget import Bound, share
from kdsearch.pipeline.evidence import deciding

Facts = Mapping[str, Mapping[str, Known]]
"""What is known of each student, by id."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A bound that a student breaks."""

    bound: Bound
    limit: float
    value: float
    """At the end that decides; not a number where it is not known."""

    @property
    def far(self) -> float:
        """Of the limit's size; infinite where it is not known."""
        far = share(abs(self.value - self.limit), self.limit)
        return math.inf if math.isnan(far) else far


def refusal(
    front: Mapping[str, Any], missed: Mapping[str, Sequence[Miss]], known: Facts
) -> tuple[str, dict[str, Any]]:
    """One line for a person, and the same as facts; `missed` is by id, of every student."""
    if not missed:
        return "this run has published no student", {}
    nearest = min(missed, key=lambda name: max(miss.far for miss in missed[name]))
    worst = max(missed[nearest], key=lambda miss: miss.far)
    bound, name = worst.bound, worst.bound.name
    facts = {"bound": str(bound), "limit": worst.limit, "nearest": nearest}
    if math.isnan(worst.value):
        return f"no student keeps {bound}: {name} is known of none", facts
    side = "beyond" if bound.upper else "short"
    far = f"{worst.far:.1%} {side}" if worst.far < 10 else f"{worst.far + 1:.0f} times as much"
    limit = f" (= {worst.limit:.4g})" if bound.relative else ""
    end, facts["least" if bound.upper else "most"] = furthest(front, known, bound)
    return (
        f"no student keeps {bound}{limit}; nearest is {nearest} with {name} "
        f"{worst.value:.4g}, {far}; {end}",
        facts | {"value": worst.value, "far": worst.far},
    )


def furthest(front: Mapping[str, Any], known: Facts, bound: Bound) -> tuple[str, float]:
    """In words and as a number what can be had at all: of the space where it is known."""
    name = bound.name
    values = [deciding(facts[name]) for facts in known.values() if name in facts]
    if not bound.upper:
        best = "most accurate" if name == "accuracy" else "best"
        return f"the {best} student has {max(values):.4g}", max(values)
    if name not in front["space"]["smallest"]:
        return f"the best student has {min(values):.4g}", min(values)
    least = min(front["space"]["smallest"][name], *values)
    return f"the smallest value in the space is {least:.4g}", least
