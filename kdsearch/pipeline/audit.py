"""Verb `audit`: does the ranking by inherited weights hold, were each student trained alone?

Spec of such audits: Yu et al., 2020, arXiv:2003.04276 (how supernets rank); beside them size
alone, which ranks well in spaces of widths, and what two trainings of one student agree on.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

import kdsearch
from kdsearch.config import read_config
from kdsearch.config.models import Distill
from kdsearch.config.recipes import recipe_of
from kdsearch.core.progress import Progress
from kdsearch.core.records import Architecture, Job, Recipe
from kdsearch.core.seeds import derive
from kdsearch.core.space import Space
from kdsearch.data.records import DataInfo
from kdsearch.data.stored import read_info
from kdsearch.distill.kinds import method_of, written_elsewhere
from kdsearch.errors import RunError, UserError
from kdsearch.files import write_json
from kdsearch.measure.ranking import Audit, audited
from kdsearch.measure.size import macs, params
from kdsearch.nets.kinds import family_of
from kdsearch.pipeline.context import Context, open_context, training_threads
from kdsearch.pipeline.heartbeat import Heartbeat
from kdsearch.pipeline.jobs import execute, inherited_folder, order_of
from kdsearch.pipeline.lessons import Classroom, lesson_setting
from kdsearch.report.ranking import verdict
from kdsearch.rundir import RunDir
from kdsearch.search.audit import Standalones
from kdsearch.search.jobs import inherited_job
from kdsearch.search.rung import stored_result
from kdsearch.search.source import Phase

VERSION = 1
FEWEST = 8
"""Students below which a ranking says nothing."""


def audit(
    run: RunDir, progress: Progress, *, students: int, seeds: int, method: str
) -> dict[str, Any]:
    """Trains what is not there yet, and gives the content of audit.json.

    Raises:
        RunError: there is no supernet to audit.
        UserError: too few students, or a method that will not do.
    """
    if students < FEWEST or seeds < 1:
        raise UserError(
            f"--students {students} --seeds {seeds}: needs at least {FEWEST} students and "
            "1 seed; 30 and 2 give usable intervals and a ceiling"
        )
    config, facts = read_config(existing(run)), run.facts()
    if "supernet" in facts and facts["supernet"] is None:
        raise RunError(f"{run.root}: its students share no weights: no ranking to audit")
    if not facts.get("supernet"):
        raise RunError(f"{run.root}: no supernet yet; `kdsearch run {run.config}` trains it")
    with run.writing(), training_threads(config.threads):
        context = open_context(config, run.root, Heartbeat(progress, run.progress))
        data, supernet = Path(facts["data"]), Path(facts["supernet"])
        teacher = Path(facts["teacher"]) if facts.get("teacher") else None
        room = Classroom(data, read_info(data), teacher)
        chosen = drawn(context.space.space, students, config.seed)
        recipe = recipe_of(Distill(), method)
        with context.timed("audit"):
            inherited = inherited_scores(context, room, supernet, chosen)
            standalone = standalone_scores(context, room, recipe, chosen, seeds)
        rows = [row(context, room.info, a, inherited[a.id], standalone[a.id]) for a in chosen]
        content = content_of(rows, seeds, method, config.seed)
        content["supernet"] = supernet.name
        write_json(run.audit, content)
    return content


def existing(run: RunDir) -> Path:
    run.read(run.state)
    return run.config


def drawn(space: Space, count: int, seed: int) -> list[Architecture]:
    """Distinct students, evenly at random; all of a smaller space."""
    if space.count() <= count:
        return [Architecture.of(point) for point in space.points()]
    rng, found = random.Random(derive(seed, "audit")), dict[Architecture, None]()
    while len(found) < count:
        found[Architecture.of(space.draw(rng))] = None
    return list(found)


def inherited_scores(
    context: Context, room: Classroom, supernet: Path, chosen: Sequence[Architecture]
) -> dict[str, float | None]:
    folder = inherited_folder(context, supernet, room.info)
    jobs = [inherited_job(a, folder) for a in order_of(context)(chosen)]
    setting = lesson_setting(context, room, [])
    shared = replace(setting, supernet=str(supernet.resolve()), student=None)
    execute(context, shared, one_phase(jobs))
    return {job.architecture.id: score(job) for job in jobs}


def standalone_scores(
    context: Context,
    room: Classroom,
    recipe: Recipe,
    chosen: Sequence[Architecture],
    seeds: int,
) -> dict[str, list[float | None]]:
    setting = replace(lesson_setting(context, room, [recipe]), student=None)
    needs = method_of(recipe).needs
    taught = setting.teacher if needs.teacher or needs.online else None
    key: dict[str, Any] = {
        "version": VERSION,
        "data": room.info.fingerprint,
        "family": setting.family,
        "plan": asdict(setting.plan),
        "recipe": recipe.as_dict(),
        "teacher": None if taught is None else Path(taught).name,
        "sources": written_elsewhere(recipe.method),
    }
    lessons = Standalones(chosen, recipe, seeds, context.store.folder("standalone", key))
    execute(context, setting, lessons.phases())
    return {a.id: [score(lessons.job(a, number)) for number in range(seeds)] for a in chosen}


def one_phase(jobs: Sequence[Job]) -> Phase:
    yield jobs


def score(job: Job) -> float | None:
    result = stored_result(job)
    return result.accuracy if result is not None and result.state == "done" else None


def row(
    context: Context,
    info: DataInfo,
    architecture: Architecture,
    inherited: float | None,
    standalone: Sequence[float | None],
) -> dict[str, Any]:
    with torch.device("meta"):
        family = family_of(context.space.family)
        network = family.student(architecture, info.channels, len(info.classes))
    return {
        "id": architecture.id,
        "architecture": architecture.as_dict(),
        "inherited": inherited,
        "standalone": list(standalone),
        "params": params(network),
        "macs": macs(network, (info.channels, info.size, info.size)),
    }


def content_of(
    rows: Sequence[Mapping[str, Any]], seeds: int, method: str, seed: int
) -> dict[str, Any]:
    """What audit.json holds; students of which a run failed are listed and not counted."""
    whole = [r for r in rows if None not in (r["inherited"], *r["standalone"])]
    if len(whole) < FEWEST:
        raise UserError(f"only {len(whole)} of {len(rows)} students could be trained")
    found: Audit = audited(
        [r["inherited"] for r in whole],
        [[r["standalone"][number] for r in whole] for number in range(seeds)],
        {name: [r[name] for r in whole] for name in ("macs", "params")},
        seed,
    )
    figures = {
        name: {"value": each.value, "ci95": None if each.ci95 is None else list(each.ci95)}
        for name, each in found._asdict().items()
        if name != "bins"
    }
    content = {
        "schema": 1,
        "kdsearch_version": kdsearch.__version__,
        "students": len(whole),
        "failed": [r["id"] for r in rows if r not in whole],
        "seeds": seeds,
        "method": method,
        "bins": found.bins,
        **figures,
        "rows": list(rows),
    }
    return {**content, "verdict": verdict(content)}
