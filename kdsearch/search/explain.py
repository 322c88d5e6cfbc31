"""What a search's scores depend on, objective by objective: architecture, method, training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kdsearch.core.objectives import Objective
from kdsearch.search.pool import as_parameters
from kdsearch.search.shares import Shares, needed, shares, varying
from kdsearch.search.trial import Trial

METHOD = "method"


@dataclass(frozen=True, slots=True)
class Explained:
    """One objective."""

    objective: str
    rung: int | None
    """Where the scores are of; None: a cost, which is the same at all of them."""
    shares: Shares
    """Over the axes that every trial has; of a cost, or of inherited weights, over those of
    the architecture: nothing else can matter."""
    part: Mapping[str, str]
    """By axis one of PARTS."""
    within: Mapping[str, Shares] = field(default_factory=dict)
    """By method, of the axes that its trials alone have."""


def explained(trials: Sequence[Trial], at: int, objective: Objective, seed: int) -> Explained:
    """What the objective at position `at` of the scores depends on."""
    if not objective.scored:
        scored = [t for t in trials if t.scores]
        found = of_architectures(scored, [t.scores[t.rung][at] for t in scored], seed)
        return Explained(objective.name, None, found, part_of(scored))
    rung = rung_of(trials)
    scored = [t for t in trials if rung in t.scores]
    scores = [t.scores[rung][at] for t in scored]
    part = part_of(scored)
    if rung == 0:
        return Explained(objective.name, 0, of_architectures(scored, scores, seed), part)
    points = [as_parameters(t.candidate) for t in scored]
    first = points[0] if points else {}
    common = [name for name in first if all(name in point for point in points)]
    joint = shares(points, scores, common, part, seed)
    return Explained(objective.name, rung, joint, part, within(scored, scores, common, seed))


def rung_of(trials: Sequence[Trial]) -> int:
    """The highest rung with enough results, else the one with most; 0 without any."""
    enough = needed([as_parameters(t.candidate) for t in trials])
    counts = {r: sum(r in t.scores for t in trials) for t in trials for r in t.scores}
    full = [rung for rung, count in counts.items() if count >= enough]
    return max(full, default=max(counts, key=lambda rung: counts[rung], default=0))


def of_architectures(trials: Sequence[Trial], scores: Sequence[float], seed: int) -> Shares:
    """Each architecture once: its trials have one score."""
    distinct = {t.candidate.architecture: s for t, s in zip(trials, scores, strict=True)}
    points = [architecture.as_dict() for architecture in distinct]
    names = list(points[0]) if points else []
    part = dict.fromkeys(names, "architecture")
    return shares(points, list(distinct.values()), names, part, seed)


def within(
    trials: Sequence[Trial], scores: Sequence[float], common: Sequence[str], seed: int
) -> dict[str, Shares]:
    """The axes that only some trials have, among those of one method each."""
    found = {}
    for method in sorted({t.candidate.recipe.method for t in trials}):
        of_method = [
            (as_parameters(t.candidate), score)
            for t, score in zip(trials, scores, strict=True)
            if t.candidate.recipe.method == method
        ]
        points = [point for point, _ in of_method]
        own = [n for n in varying(points, list(points[0])) if n not in common]
        if not own:
            continue
        known = shares(points, [s for _, s in of_method], list(points[0]), {}, seed)
        axes = {name: share for name, share in known.axes.items() if name in own}
        found[method] = Shares(known.trials, known.needed, axes)
    return found


def part_of(trials: Sequence[Trial]) -> dict[str, str]:
    """By axis what it is of: the architecture, the method, or the training."""
    part = {METHOD: "method"}
    for trial in trials:
        part |= dict.fromkeys(trial.candidate.architecture.as_dict(), "architecture")
        part |= dict.fromkeys(dict(trial.candidate.recipe.training), "training")
    return part
