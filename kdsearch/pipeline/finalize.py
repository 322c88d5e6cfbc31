"""Stage `finalists`: the survivors of the search, trained to the end and published."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import kdsearch
from kdsearch.config.objectives import objectives_of
from kdsearch.core.records import Job
from kdsearch.core.seeds import derive
from kdsearch.engines.engine import lost
from kdsearch.errors import SearchError
from kdsearch.files import content_hash, write_json
from kdsearch.pipeline.adoption import untouched
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.jobs import Ground, execute, weights_at
from kdsearch.pipeline.ledger import note_rungs
from kdsearch.pipeline.predicted_front import with_predictions
from kdsearch.pipeline.publish import Finalist, nothing_left, publish
from kdsearch.pipeline.retime import marks, renewed
from kdsearch.pipeline.search import Found
from kdsearch.rundir import CARD, RunDir
from kdsearch.search.jobs import trial_job
from kdsearch.search.rung import stored_result, weights_of
from kdsearch.search.source import Phase
from kdsearch.search.survivors import survivors
from kdsearch.search.terms import Places
from kdsearch.search.trial import Trial


def finalized(context: Context, ground: Ground, found: Found) -> dict[str, Any]:
    """front.json of the run; made anew only when the search or the finalists changed."""
    chosen = chosen_of(context, found)
    if not chosen:
        ended = context.run.facts().get("ended", {})
        limit = ended.get("why", "") if ended.get("study") == found.study else ""
        raise nothing_left(found.trials, ground, limit)
    key = content_hash(
        [
            found.study,
            [t.number for t in chosen],
            context.config.finalists.model_dump(),
            kdsearch.__version__,
        ]
    )
    run = context.run
    if run.front.exists() and run.facts().get("front_key") == key:
        known: dict[str, Any] = run.read(run.front, "points", "hypervolume")
        if all(is_kept(run, point) for point in known["points"]):
            content, is_new = renewed(context, ground, known, found.trials)
            if is_new:
                publish_in(run, content, front_targets=marks(ground.books))
            return content
    with context.timed("finalists"):
        context.progress.start("finalists", len(chosen))
        execute(context, found.setting, one_phase(context, found, chosen))
        finalists = trained(context, found, chosen)
        if not finalists:
            raise SearchError("no finalist could be trained to the end; see `kdsearch status`")
        fresh = publish(context, ground, finalists)
        content = with_predictions(fresh, ground.books, context.space.space)
        context.progress.finish("finalists", f"{len(content['points'])} on the front")
    note_rungs(run.ledger, run.trials(found.study))
    publish_in(run, content, front_key=key, front_targets=marks(ground.books))
    return content


def publish_in(run: RunDir, content: Mapping[str, Any], **facts: Any) -> None:
    write_json(run.front, content)
    run.note(**facts)


def chosen_of(context: Context, found: Found) -> list[Trial]:
    """Who is trained to the end; of a search that took its trials over, those who were,
    as long as no other finalists are asked for.
    """
    objectives = objectives_of(context.config.search.objectives)
    trials, count = found.trials, context.config.finalists.count
    if untouched(context, found.study, trials):
        done = [t for t in trials if t.state == "complete" and is_done(context, found, t)]
        trials = done or trials
    return list(survivors(trials, count, objectives))


def is_done(context: Context, found: Found, trial: Trial) -> bool:
    """Whether it was trained to the end, with every seed."""
    results = [stored_result(job) for job in jobs_of(context, found, trial)]
    return all(r is not None and r.state == "done" for r in results)


def is_kept(run: RunDir, point: Mapping[str, Any]) -> bool:
    """Whether the files of a published student are still there."""
    files = (run.root / point["weights"], run.student(point["id"]) / CARD)
    return all(file.exists() for file in files)


def jobs_of(context: Context, found: Found, trial: Trial) -> list[Job]:
    """The top rung of a trial, once per seed; the first goes on where the search stopped."""
    trials = context.run.trials(found.study)
    top = len(found.setting.fractions)
    places = Places(None, trials, weights_at(context, found.study))
    first = trial_job(trial, top, places, context.config.seed)
    others = [
        replace(
            first,
            name=f"{first.name}, seed {k}",
            seed=derive(context.config.seed, "trial", trial.number, "seed", k),
            folder=f"{first.folder}/seed{k}",
            weights=f"{first.weights}/seed{k}" if first.weights else "",
        )
        for k in range(1, context.config.finalists.seeds)
    ]
    return [first, *others]


def one_phase(context: Context, found: Found, chosen: Sequence[Trial]) -> Phase:
    yield [job for trial in chosen for job in jobs_of(context, found, trial)]


def trained(context: Context, found: Found, chosen: Sequence[Trial]) -> list[Finalist]:
    """Those whose every run came to the end; the others are named with their reason."""
    done = []
    for trial in chosen:
        jobs = jobs_of(context, found, trial)
        results = [stored_result(job) or lost(job) for job in jobs]
        bad = next((r for r in results if r.state != "done"), None)
        if bad is None:
            done.append(Finalist(trial, tuple(map(weights_of, jobs))))
        else:
            context.progress.say(f"finalist {trial.number} fell out: {bad.state}: {bad.reason}")
    return done
