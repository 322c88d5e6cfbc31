"""A search that goes on from an earlier one's trials, where its targets alone are others.

What a training scored holds for every target; what it costs there is looked up anew. So the
trials of a search that is over are written into the new one's journal with the new values, and
their results come along: the new front is chosen from what was trained, without any training.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kdsearch.core.budget import broken
from kdsearch.core.objectives import is_cost
from kdsearch.core.quantities import several
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.jobs import Ground, weights_at
from kdsearch.pipeline.terms import prices_of
from kdsearch.pipeline.trials import recorded
from kdsearch.places import Remote
from kdsearch.rundir import RunDir
from kdsearch.search.pool import Pool
from kdsearch.search.rung import CHECKPOINT, STUDENT
from kdsearch.search.study.journal import Study
from kdsearch.search.terms import Terms
from kdsearch.search.trial import Trial

TARGETS = ("target", "targets")
"""Of a study's key: where its latencies are measured."""
MAY_DIFFER = frozenset({*TARGETS, "objectives", "budget"})
EARLIER_BUDGET = "over budget on an earlier target, and not trained"


@dataclass(frozen=True, slots=True)
class Adopting:
    """The new search, and what its students cost there."""

    study: str
    pool: Pool
    terms: Terms
    costs: Mapping[str, Mapping[str, float]]
    largest: Mapping[str, float]


def adoptable(run: RunDir, study: str, key: Mapping[str, Any]) -> list[Trial]:
    """The trials that a new search may go on from; none where it has to begin anew."""
    facts = run.facts()
    old = facts.get("study")
    if old in (None, study) or run.journal(study).exists() or not run.journal(old).exists():
        return []
    if not differs_in_targets(facts.get("study_key", {}), json.loads(json.dumps(key))):
        return []
    trials = recorded(run, old)
    return [] if any(t.state == "running" for t in trials) else trials


def differs_in_targets(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a search has other targets, and nothing else is another that a training, or the
    choice of what was trained, depends on: the same scores, all the bounds there were.
    """
    names = {*old, *new} - MAY_DIFFER
    if any(old.get(n) != new.get(n) for n in names):
        return False
    if all(old.get(n) == new.get(n) for n in TARGETS):
        return False
    kept = {n: v for n, v in (old.get("budget") or {}).items() if v is not None}
    bounds = new.get("budget") or {}
    return scores(old) == scores(new) and all(bounds.get(n) == v for n, v in kept.items())


def scores(key: Mapping[str, Any]) -> list[str]:
    return [name for name in key.get("objectives", ()) if not is_cost(name)]


def adopt(
    context: Context, ground: Ground, trials: Sequence[Trial], new: tuple[str, Pool, Terms]
) -> None:
    """Makes the journal and the trials' folder of the new search; whole or not at all."""
    run, (study, pool, terms) = context.run, new
    old = run.facts()["study"]
    prices = prices_of(ground.books, terms, ground.ends["largest"])
    costs = prices.of([t.candidate.architecture for t in trials])
    adopting = Adopting(study, pool, terms, costs, prices.largest)
    copy_results(run.trials(old), run.trials(study))
    copy_weights(weights_at(context, old), weights_at(context, study), trials, context)
    draft = run.journal(study).with_suffix(".adopting")
    draft.unlink(missing_ok=True)
    journal, names = Study(draft, terms.objectives), run.facts()["study_key"]["objectives"]
    for trial in trials:
        journal.add(trial.as_proposed(), pool)
        journal.note(revalued(trial, names, adopting))
    ended = run.facts().get("ended", {})
    if ended.get("study") == old:
        run.note(ended={**ended, "study": study})
    known = run.facts().get("adopted", {})
    run.note(adopted={**known, study: taken_over(context, old, trials)})
    draft.replace(run.journal(study))
    context.progress.say(
        f"search: {several(len(trials), 'trial')} of the earlier search taken over, with what "
        "they cost on the new targets; nothing is trained anew"
    )


def taken_over(context: Context, old: str, trials: Sequence[Trial]) -> dict[str, Any]:
    """What run.json notes of it."""
    finalists = context.config.finalists.model_dump(mode="json")
    return {"from": old, "trials": len(trials), "finalists": finalists}


def revalued(trial: Trial, names: Sequence[str], new: Adopting) -> Trial:
    """A trial that is over, with the new objectives' values and the new budget's word."""
    costs = new.costs[trial.candidate.architecture.id]
    scores = {
        rung: tuple(
            {**dict(zip(names, values, strict=True)), **costs}[one.name]
            for one in new.terms.objectives
        )
        for rung, values in trial.scores.items()
    }
    missed = broken(new.terms.bounds, costs, new.largest)
    fresh = replace(trial, scores=scores, violations=missed)
    if missed and trial.state == "complete":
        over = ", ".join(f"{name} (limit missed by {by:.0%})" for name, by in missed.items())
        return replace(fresh, state="stopped", reason=f"over budget: {over}")
    if trial.violations and not missed:
        return replace(fresh, reason=EARLIER_BUDGET)
    return fresh


def copy_results(old: Path, new: Path) -> None:
    """Weights are links to the same bytes: they are replaced, never changed in place."""

    def copied(source: str, target: str) -> str:
        Path(target).unlink(missing_ok=True)
        if source.endswith(".safetensors"):
            try:
                os.link(source, target)
                return target
            except OSError:
                pass  # a file system without such links
        return shutil.copy2(source, target)

    if old.is_dir():
        shutil.copytree(old, new, copy_function=copied, dirs_exist_ok=True)


def copy_weights(old: str, new: str, trials: Sequence[Trial], context: Context) -> None:
    """Those that are kept at the URL of `search.weights`."""
    seeds = ("", *(f"/seed{k}" for k in range(1, context.config.finalists.seeds)))
    for trial in trials if old else ():
        for folder in (f"{trial.number:04d}{seed}" for seed in seeds):
            for name in (STUDENT, CHECKPOINT):
                held = Remote(f"{old}/{folder}/{name}")
                if held.exists():
                    Remote(f"{new}/{folder}/{name}").put(held.read_bytes())


def untouched(context: Context, study: str, trials: Sequence[Trial]) -> bool:
    """Whether a search has the trials alone that it took over, and no other finalists are asked
    for since.
    """
    known = context.run.facts().get("adopted", {}).get(study)
    if known is None or known["trials"] != len(trials):
        return False
    asked = context.config.finalists.model_dump(mode="json")
    return bool(known.get("finalists", asked) == asked)
