"""From trained finalists to front.json: re-scored, re-measured together, tested once.

Selection looks at search-validation accuracy and latency alone; the test split is opened for
the published students only, after they were chosen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10, sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from torch import nn

import kdsearch
from kdsearch.core.budget import broken
from kdsearch.core.pareto import front, hypervolume
from kdsearch.data.augment import normalise
from kdsearch.data.load import load_search
from kdsearch.data.records import Split
from kdsearch.data.test_split import open_test
from kdsearch.errors import BudgetError, SearchError
from kdsearch.files import write_bytes, write_json
from kdsearch.measure.accuracy import correct, predict, wilson_ci95
from kdsearch.measure.fingerprint import latency_facts
from kdsearch.measure.latency import Latency
from kdsearch.nets.kinds import family_of, made_of
from kdsearch.nets.stored import stored_weights
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.costs import bounds_of
from kdsearch.pipeline.search import Found, Ground
from kdsearch.search.rung import STUDENT
from kdsearch.search.trial import Trial

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Score:
    """Top-1 accuracy of a finalist's runs on one split."""

    accuracy: float
    """Mean over the runs, in [0, 1]."""
    ci95: tuple[float, float]
    """See `scored`."""


@dataclass(frozen=True, slots=True)
class Finalist:
    """A survivor at the top rung; its first run is the one that ships."""

    trial: Trial
    folders: tuple[Path, ...]
    """One per seed."""

    @property
    def id(self) -> str:
        return f"s{self.trial.number:03d}"


def publish(
    context: Context, ground: Ground, found: Found, finalists: Sequence[Finalist]
) -> dict[str, Any]:
    """Re-scores and re-measures all finalists together; the front of them is tested, once."""
    search_val = load_search(ground.data).search_val
    networks = {f.id: [student_of(context, ground, f, k) for k in f.folders] for f in finalists}
    scores = {name: score(runs, search_val, ground) for name, runs in networks.items()}
    latencies = timed_together(context, ground, finalists)
    costs = {
        f.id: ground.book.size(f.trial.candidate.architecture)
        | {"latency_ms": latencies[f.id].p50_ms}
        for f in finalists
    }
    bounds = bounds_of(context)
    missed = {f.id: broken(bounds, costs[f.id], largest(ground)) for f in finalists}
    kept = [f for f in finalists if not missed[f.id]]
    if not kept:
        raise over_budget(list(missed.values()), ground)
    points = [(-scores[f.id].accuracy, costs[f.id]["latency_ms"]) for f in kept]
    published = sorted(
        (kept[i] for i in front(points)), key=lambda f: costs[f.id]["latency_ms"]
    )
    test = open_test(
        ground.data,
        purpose=f"score of {len(published)} published students",
        log=context.run.test_openings,
    )
    rows = []
    for finalist in published:
        row = point(context, finalist, scores[finalist.id], costs[finalist.id])
        tested = score(networks[finalist.id], test, ground)
        row["test_accuracy"] = tested.accuracy
        row["test_accuracy_ci95"] = list(tested.ci95)
        row["latency"] = latency_facts(ground.book.target, latencies[finalist.id])
        rows.append(row)
        keep_student(context, ground, finalist, row)
    return front_of(context, ground, found, rows)


def largest(ground: Ground) -> Mapping[str, float]:
    return ground.ends["largest"]


def student_of(context: Context, ground: Ground, finalist: Finalist, folder: Path) -> nn.Module:
    family = family_of(context.space.family)
    architecture = finalist.trial.candidate.architecture
    student = family.student(architecture, ground.info.channels, len(ground.info.classes))
    student.load_state_dict(stored_weights(folder / STUDENT, within=folder))
    return student.eval()


def score(runs: Sequence[nn.Module], split: Split, ground: Ground) -> Score:
    images = normalise(split.images, ground.info.mean, ground.info.std)
    hits = [correct(predict(net, images, 500), split.labels) for net in runs]
    return scored(hits, len(split))


def scored(hits: Sequence[int], images: int) -> Score:
    """Mean accuracy of runs that got `hits` of the same images right.

    The interval covers what other images would give (Wilson) and, with several runs, what
    other runs would give (Student's t); where they differ, the outer end counts.
    """
    shares = [h / images for h in hits]
    low, high = wilson_ci95(round(mean(hits)), images)
    if len(hits) > 1:
        from scipy.stats import t

        half = float(t.ppf(0.975, len(hits) - 1)) * stdev(shares) / sqrt(len(hits))
        low, high = min(low, mean(shares) - half), max(high, mean(shares) + half)
    return Score(mean(shares), (max(0.0, low), min(1.0, high)))


def timed_together(
    context: Context, ground: Ground, finalists: Sequence[Finalist]
) -> dict[str, Latency]:
    """A fresh measurement of all finalists in the same rounds, by student id."""
    architectures = {f.id: f.trial.candidate.architecture for f in finalists}
    distinct = {a.id: a for a in architectures.values()}
    measured = ground.book.measured(list(distinct.values()))
    return {name: measured[a.id] for name, a in architectures.items()}


def point(
    context: Context, finalist: Finalist, scored: Score, costs: Mapping[str, float]
) -> dict[str, Any]:
    candidate = finalist.trial.candidate
    return {
        "id": finalist.id,
        "architecture": candidate.architecture.as_dict(),
        "recipe": candidate.recipe.as_dict(),
        "trial": finalist.trial.number,
        "rung": len(context.config.search.rungs),
        "seeds": len(finalist.folders),
        "search_accuracy": scored.accuracy,
        "search_accuracy_ci95": list(scored.ci95),
        "params": costs["params"],
        "macs": costs["macs"],
        "weights": f"students/{finalist.id}/{STUDENT}",
    }


def keep_student(
    context: Context, ground: Ground, finalist: Finalist, row: Mapping[str, Any]
) -> None:
    """students/<id>/: the weights that ship, and what is known of them."""
    folder = context.run.student(finalist.id)
    write_bytes(folder / STUDENT, (finalist.folders[0] / STUDENT).read_bytes())
    info = ground.info
    spec = {
        "family": context.space.family,
        **made_of(context.space.family),
        "architecture": row["architecture"],
        "channels": info.channels,
        "classes": list(info.classes),
        "size": info.size,
        "mean": list(info.mean),
        "std": list(info.std),
    }
    write_json(folder / "card.json", {**row, "spec": spec, "data": str(ground.data.resolve())})


def front_of(
    context: Context, ground: Ground, found: Found, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """front.json; the reference point was fixed by the space before the search."""
    target = ground.book.target.name
    chance = 1 / len(ground.info.classes)
    slowest = 1.1 * largest(ground)["latency_ms"]
    volume = hypervolume(
        [(-r["search_accuracy"], log10(r["latency"][target]["p50"])) for r in rows],
        (-chance, log10(slowest)),
    )
    return {
        "schema": SCHEMA,
        "kdsearch_version": kdsearch.__version__,
        "run": context.run.root.name,
        "data_hash": ground.info.fingerprint,
        "teacher_hash": None if ground.teacher is None else ground.teacher.name,
        "objectives": list(context.config.search.objectives),
        "hypervolume": volume,
        "reference_point": {"accuracy": chance, "latency_ms": slowest},
        "space": {
            "name": context.space.name,
            "count": context.space.space.count(),
            **{end: dict(costs) for end, costs in ground.ends.items()},
        },
        "points": rows,
    }


def nothing_left(trials: Sequence[Trial], ground: Ground) -> Exception:
    """Why no trial was completed: the budget, or failures."""
    if over := [t.violations for t in trials if t.violations]:
        return over_budget(over, ground)
    failed = [t for t in trials if t.state == "failed"]
    by_kind = {t.reason.partition(":")[0]: t for t in reversed(failed)}
    reasons = "; ".join(f"trial {t.number} {t.reason}" for _, t in sorted(by_kind.items()))
    return SearchError(f"no trial was completed, {len(failed)} failed: {reasons}")


def over_budget(missed: Sequence[Mapping[str, float]], ground: Ground) -> BudgetError:
    """Names the bound that the nearest student misses most; shares of its limit, by cost."""
    nearest = min(missed, key=lambda shares: max(shares.values()))
    name, share = max(nearest.items(), key=lambda item: item[1])
    return BudgetError(
        f"no student meets the budget: {name} is missed by {share:.0%} at best; the "
        f"smallest student of the space has {name} {ground.ends['smallest'][name]:.4g}"
    )
