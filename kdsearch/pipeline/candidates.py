"""Trials that a query may pick beside the students that were trained to the end.

What a stopped trial would score at the end is not known. It is taken to gain from its rung on
what the published students gained from there on average; a bound on a score and the ranking go
by that, and there is no interval.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean
from typing import Any

from kdsearch.core.budget import Bound
from kdsearch.core.costs_named import is_timed
from kdsearch.core.objectives import KNOWN
from kdsearch.core.records import Architecture
from kdsearch.files import read_json
from kdsearch.pipeline.delivered import fell_out, trained
from kdsearch.pipeline.trials import recorded
from kdsearch.rundir import RunDir
from kdsearch.search.trial import Trial

Front = Mapping[str, Any]
Costs = Mapping[str, Mapping[str, float]]
"""By architecture id."""
QUANTILES = ("p50", "p95", "p99")


def all_trials(run: RunDir, front: Front, counted: Costs) -> dict[str, Any]:
    """The front with those, and with every trial that has a score and did not fall out since.

    Args:
        counted: params and the like of students, as far as they are asked for.
    """
    whole, trials = trained(run, front), scored_trials(run)
    known = {point["trial"] for point in whole["points"]} | fell_out(run)
    names = objectives(run)
    rise = gains(whole["points"], {t.number: t for t in trials}, names)
    shares = run.facts().get("study_key", {}).get("rungs", ())
    more = [
        {
            **searched(trial, names, rise.get(trial.rung, {})),
            "share": 0.0 if trial.rung < 1 else shares[trial.rung - 1],
            "costs": {
                **counted.get(trial.candidate.architecture.id, {}),
                **counted_by(trial, names),
            },
            "latency": latencies(run, front, trial.candidate.architecture.id),
        }
        for trial in trials
        if trial.number not in known
    ]
    return {**whole, "points": [*whole["points"], *more]}


def uncounted(run: RunDir, bounds: Iterable[Bound]) -> bool:
    """Whether a bound is on what has to be counted first, as the search had no use for it."""
    known = objectives(run)
    return any(
        not is_score(b.name) and not is_timed(b.name) and b.name not in known for b in bounds
    )


def scored_trials(run: RunDir) -> list[Trial]:
    """Of the current search, those that may be trained to the end."""
    found = recorded(run, run.facts()["study"])
    return [t for t in found if t.state in ("complete", "stopped") and t.scores]


def architectures(run: RunDir) -> list[Architecture]:
    return [trial.candidate.architecture for trial in scored_trials(run)]


def objectives(run: RunDir) -> tuple[str, ...]:
    return tuple(run.facts().get("study_key", {}).get("objectives", ()))


def gains(
    points: Sequence[Mapping[str, Any]], trials: Mapping[int, Trial], names: Sequence[str]
) -> dict[int, dict[str, float]]:
    """By rung and score what published students gained from there to the end, on average."""
    found: dict[int, dict[str, list[float]]] = {}
    for point in points:
        trial = trials.get(point["trial"])
        for rung, values in (trial.scores if trial else {}).items():
            row = found.setdefault(rung, {})
            for name, value in zip(names, values, strict=False):
                if name in point["scores"]:
                    row.setdefault(name, []).append(point["scores"][name] - value)
    return {rung: {n: mean(g) for n, g in row.items()} for rung, row in found.items()}


def searched(trial: Trial, names: Sequence[str], rise: Mapping[str, float]) -> dict[str, Any]:
    """A trial in the form of a point of front.json; scores are those expected at the end."""
    reached = dict(zip(names, trial.scores[trial.rung], strict=False))
    at_rung = {n: v for n, v in reached.items() if is_score(n)}
    scores = {n: within(n, value + rise.get(n, 0.0)) for n, value in at_rung.items()}
    own = {"search_accuracy": scores["accuracy"]} if "accuracy" in scores else {}
    return {
        "id": f"s{trial.number:03d}",
        "trial": trial.number,
        "architecture": trial.candidate.architecture.as_dict(),
        "recipe": trial.candidate.recipe.as_dict(),
        "rung": trial.rung,
        "trained": False,
        "scores": scores,
        "scores_at_rung": at_rung,
        **own,
    }


def is_score(name: str) -> bool:
    """The user's own are scores, too."""
    return not is_timed(name) and (name not in KNOWN or KNOWN[name].scored)


def within(name: str, value: float) -> float:
    """Scores of ours are shares."""
    return min(1.0, max(0.0, value)) if name in KNOWN else value


def counted_by(trial: Trial, names: Sequence[str]) -> dict[str, float]:
    """Costs that the search itself traded, times aside: those have files with intervals."""
    values = zip(names, trial.scores[trial.rung], strict=False)
    return {n: v for n, v in values if not is_score(n) and not is_timed(n)}


def latencies(run: RunDir, front: Front, student: str) -> dict[str, dict[str, Any]]:
    """What was measured of an architecture during the search, else what the search predicted;
    nothing where it did neither.

    Each target has its place: what comes first is taken for the first one's.
    """
    targets = list(next((p["latency"] for p in front["points"]), {}))
    found = {}
    for place, target in enumerate(targets):
        folder = run.root / "latencies" / target if place else run.root / "latency"
        kept = (folder, run.predictions / folder.resolve().name)
        paths = (one / f"{student}.json" for one in kept)
        path = next((one for one in paths if one.exists()), None)
        found[target] = {} if path is None else as_facts(read_json(path))
    return found


def as_facts(kept: Mapping[str, Any]) -> dict[str, Any]:
    """A stored latency as front.json has it."""
    values = {q: kept.get(f"{q}_ms") for q in QUANTILES}
    intervals = {name: kept.get(name) for name in ("ci95", "p95_ci95", "p99_ci95")}
    more = {name: kept[name] for name in ("load", "busy") if name in kept}
    predicted = {"predicted": True} if kept.get("predicted") else {}
    return {n: v for n, v in (values | intervals).items() if v is not None} | more | predicted
