"""From trained finalists to front.json: re-scored, re-measured together, tested once.

Selection looks at the run's objectives alone, scores of them on search-validation; the test
split is opened for the published students only, after they were chosen.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

import kdsearch
from kdsearch.config.objectives import objectives_of
from kdsearch.config.targets import bounds_of
from kdsearch.core.budget import broken
from kdsearch.core.objectives import Objective, beyond_accuracy, in_order
from kdsearch.core.pareto import front
from kdsearch.core.volume import reference_point, volume
from kdsearch.data.load import load_search
from kdsearch.errors import BudgetError, ObjectiveError, SearchError
from kdsearch.files import write_bytes, write_json
from kdsearch.nets.kinds import family_of, made_of
from kdsearch.nets.stored import stored_weights
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.jobs import Ground
from kdsearch.pipeline.rescore import Rescored, rescored
from kdsearch.pipeline.tested import tested
from kdsearch.pipeline.timed import costs_of, facts_of, targets_told, timed_together
from kdsearch.places import Place
from kdsearch.search.rung import STUDENT
from kdsearch.search.trial import Trial

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Finalist:
    """A survivor at the top rung; its first run is the one that ships."""

    trial: Trial
    folders: tuple[Place, ...]
    """One per seed."""

    @property
    def id(self) -> str:
        return f"s{self.trial.number:03d}"


def publish(context: Context, ground: Ground, finalists: Sequence[Finalist]) -> dict[str, Any]:
    """Re-scores and re-measures all finalists together; the front of them is tested, once."""
    objectives = objectives_of(context.config.search.objectives)
    metrics, info = beyond_accuracy(objectives), ground.info
    search_val = load_search(ground.data).search_val
    networks = {f.id: [student_of(context, ground, f, k) for k in f.folders] for f in finalists}
    scores = {
        name: whole(rescored(runs, search_val, info, metrics))
        for name, runs in networks.items()
    }
    students = {f.id: f.trial.candidate.architecture for f in finalists}
    latencies = timed_together(ground.books, students)
    costs = {name: costs_of(ground.books, a, latencies[name]) for name, a in students.items()}
    kept = within_budget(context, ground, finalists, costs)
    points = [in_order(scores[f.id].values | costs[f.id], objectives) for f in kept]
    published = sorted(
        (kept[i] for i in front(points)), key=lambda f: costs[f.id]["latency_ms"]
    )
    on_test = tested(context, ground, {f.id: (f.folders, networks[f.id]) for f in published})
    rows = []
    for finalist in published:
        row = point(context, finalist, scores[finalist.id], costs[finalist.id])
        row |= on_test[finalist.id]
        row["latency"] = facts_of(ground.books, latencies[finalist.id])
        rows.append(row)
        keep_student(context, ground, finalist, row)
    return front_of(context, ground, rows, objectives)


def within_budget(
    context: Context,
    ground: Ground,
    finalists: Sequence[Finalist],
    costs: Mapping[str, Mapping[str, float]],
) -> list[Finalist]:
    """Raises BudgetError where none of them keeps it."""
    bounds = bounds_of(context.config)
    missed = {f.id: broken(bounds, costs[f.id], largest(ground)) for f in finalists}
    kept = [f for f in finalists if not missed[f.id]]
    if not kept:
        raise over_budget(list(missed.values()), ground)
    return kept


def whole(found: Rescored) -> Rescored:
    """What the search compares by; raises ObjectiveError where some of it is missing."""
    for reason in found.failed.values():
        raise ObjectiveError(reason)
    return found


def largest(ground: Ground) -> Mapping[str, float]:
    return ground.ends["largest"]


def student_of(
    context: Context, ground: Ground, finalist: Finalist, folder: Place
) -> nn.Module:
    family = family_of(context.space.family)
    architecture = finalist.trial.candidate.architecture
    student = family.student(architecture, ground.info.channels, len(ground.info.classes))
    student.load_state_dict(stored_weights(folder / STUDENT, within=folder))
    return student.eval()


def point(
    context: Context, finalist: Finalist, scores: Rescored, costs: Mapping[str, float]
) -> dict[str, Any]:
    candidate = finalist.trial.candidate
    objectives = objectives_of(context.config.search.objectives)
    asked = [one.name for one in objectives if one.scored]
    return {
        "id": finalist.id,
        "architecture": candidate.architecture.as_dict(),
        "recipe": candidate.recipe.as_dict(),
        "trial": finalist.trial.number,
        "rung": len(context.config.search.rungs),
        "seeds": len(finalist.folders),
        "search_accuracy": scores.top1.accuracy,
        "search_accuracy_ci95": list(scores.top1.ci95),
        "scores": {name: scores.values[name] for name in asked},
        "scores_ci95": {name: scores.intervals[name] for name in asked},
        "params": costs["params"],
        "macs": costs["macs"],
        "costs": dict(costs),
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
    context: Context,
    ground: Ground,
    rows: list[dict[str, Any]],
    objectives: Sequence[Objective],
) -> dict[str, Any]:
    """front.json; the reference point was fixed by the space before the search."""
    chance = 1 / len(ground.info.classes)
    reference = reference_point(objectives, chance, largest(ground))
    return {
        "schema": SCHEMA,
        "kdsearch_version": kdsearch.__version__,
        "run": context.run.root.name,
        "data_hash": ground.info.fingerprint,
        "teacher_hash": None if ground.teacher is None else ground.teacher.name,
        "objectives": [one.name for one in objectives],
        "directions": {one.name: one.direction for one in objectives},
        "hypervolume": volume([r["scores"] | r["costs"] for r in rows], objectives, reference),
        "reference_point": reference,
        "space": {
            "name": context.space.name,
            "count": context.space.space.count(),
            **{end: dict(costs) for end, costs in ground.ends.items()},
        },
        "targets": targets_told(ground.books),
        "points": rows,
    }


def nothing_left(trials: Sequence[Trial], ground: Ground, limit: str = "") -> Exception:
    """Why no trial was completed: the budget, failures, or the limit that ended the search, in
    its words.
    """
    if over := [t.violations for t in trials if t.violations]:
        return over_budget(over, ground)
    failed = [t for t in trials if t.state == "failed"]
    by_kind = {t.reason.partition(":")[0]: t for t in reversed(failed)}
    reasons = "; ".join(f"trial {t.number} {t.reason}" for _, t in sorted(by_kind.items()))
    if limit:
        more = f"; {len(failed)} failed: {reasons}" if failed else ""
        return SearchError(f"no trial was completed: {limit} first; raise it{more}")
    if failed:
        return SearchError(f"no trial was completed, {len(failed)} failed: {reasons}")
    return SearchError(f"no trial was completed: {why_stopped(trials)}")


def why_stopped(trials: Sequence[Trial]) -> str:
    """'12 stopped, 9 of them not among the best at rung 1'."""
    reasons = Counter(t.reason.partition(":")[0] for t in trials if t.state == "stopped")
    if not reasons:
        return "none was begun"
    (most, times), *_ = reasons.most_common(1)
    return f"{reasons.total()} stopped, {times} of them {most}"


def over_budget(missed: Sequence[Mapping[str, float]], ground: Ground) -> BudgetError:
    """Names the bound that the nearest student misses most; shares of its limit, by cost."""
    nearest = min(missed, key=lambda shares: max(shares.values()))
    name, share = max(nearest.items(), key=lambda item: item[1])
    return BudgetError(
        f"no student meets the budget: {name} is missed by {share:.0%} at best; the "
        f"smallest student of the space has {name} {ground.ends['smallest'][name]:.4g}"
    )
