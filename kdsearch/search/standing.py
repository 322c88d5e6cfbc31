"""How a search stands, from its trials alone: how far they came, and the front so far."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kdsearch.core.objectives import Objective, minimised
from kdsearch.core.pareto import front
from kdsearch.search.trial import Trial


class Front(NamedTuple):
    """What is not dominated at the highest rung that any trial has reached."""

    rung: int
    trials: Sequence[Trial]
    """Never empty."""

    def values(self, trial: Trial) -> tuple[float, ...]:
        return trial.scores[self.rung]


def reached(trials: Sequence[Trial]) -> dict[int, int]:
    """How many trials have a score at each rung."""
    return dict(sorted(Counter(rung for t in trials for rung in t.scores).items()))


def front_so_far(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Front | None:
    """Of trials within the budget, as they score at one rung; None before any score."""
    within = [t for t in trials if t.scores and not t.violations]
    if not within:
        return None
    top = max(t.rung for t in within)
    there = [t for t in within if top in t.scores]
    points = [minimised(t.scores[top], objectives) for t in there]
    return Front(top, [there[i] for i in front(points)])


def ends(found: Front, objectives: Sequence[Objective]) -> Mapping[str, Trial]:
    """The trial that is best by the first objective, and the one that costs least."""
    first = objectives[0]
    sign = -1 if first.maximised else 1
    chosen = {"best": min(found.trials, key=lambda t: sign * found.values(t)[0])}
    cost = next((at for at, one in enumerate(objectives) if not one.scored), None)
    if cost is None:
        return chosen
    return {"cheapest": min(found.trials, key=lambda t: found.values(t)[cost]), **chosen}
