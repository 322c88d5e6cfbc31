"""Verb `compare`: the same student taught by several methods, with several seeds, in pairs.

Scores are on the search-validation images; the test images stay closed. "Better" and "worse"
stand only where the 95 % interval of the paired difference leaves zero out.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import kdsearch
from kdsearch.config import Config, resolved_yaml
from kdsearch.core.progress import Progress
from kdsearch.core.records import Result
from kdsearch.files import read_json, write_json, write_text
from kdsearch.measure.fingerprint import processor
from kdsearch.pipeline.comparison import rows
from kdsearch.pipeline.context import Context, open_context, training_threads
from kdsearch.pipeline.heartbeat import Heartbeat
from kdsearch.pipeline.lessons import (
    classroom,
    lesson_key,
    lesson_setting,
    recipe_of,
    student_architecture,
)
from kdsearch.pipeline.search import execute
from kdsearch.rundir import RunDir
from kdsearch.search.comparison import Comparison, equal_seconds, phases
from kdsearch.search.pace import paces
from kdsearch.search.rung import Rungs, stored_result
from kdsearch.search.setting import Setting

BASELINES = ("hard", "soften")


def names_of(config: Config, text: str | None) -> list[str]:
    """The methods asked for, after those that every other one is compared with."""
    absent = config.teacher.training == "none" and config.teacher.network == "family"
    asked = config.distill.names if text is None else [t.strip() for t in text.split(",")]
    return list(dict.fromkeys([*(BASELINES[:1] if absent else BASELINES), *asked]))


def compare(
    config: Config, out: Path, progress: Progress, *, methods: Sequence[str], seeds: int
) -> dict[str, Any]:
    """Trains what is not there yet, and gives the content of comparison.json.

    Args:
        methods: as `recipe_of` reads them; the first two are `hard` and, if there is a
            teacher, `soften`.

    Raises:
        UserError: the config, the data, a method or the student will not do.
        SearchError: jobs failed again and again.
    """
    rundir = RunDir(out)
    with rundir.writing(), training_threads(config.threads):
        context = open_context(config, out, Heartbeat(progress, rundir.progress))
        write_text(rundir.config, resolved_yaml(config))
        recipes = {text: recipe_of(config.distill, text) for text in methods}
        room = classroom(context)
        info = room.info
        setting = lesson_setting(context, room, recipes.values())
        architecture = student_architecture(context)
        folder = rundir.root / "lessons" / lesson_key(setting, architecture, info)
        compared = Comparison(architecture, recipes, seeds, config.seed, folder)
        pace = done(context, setting, compared)
        steps = steps_at_equal_seconds(pace, setting)
        content = {
            "schema": 1,
            "kdsearch_version": kdsearch.__version__,
            "data": {"name": info.name, "hash": info.fingerprint, "counts": info.counts},
            "student": architecture.as_dict() or {"network": config.student.network},
            "teacher": teacher_row(room.teacher),
            "plan": {"steps": setting.plan.steps, "batch_size": setting.plan.batch_size},
            "seeds": seeds,
            "device": processor() if context.device == "cpu" else context.device,
            "methods": rows(compared, results_of(compared, steps), pace),
        }
        write_json(rundir.root / "comparison.json", content)
    return content


def done(
    context: Context, setting: Setting, compared: Comparison
) -> Mapping[str, Mapping[str, Any]]:
    """Has all runs done; returns the step times they were planned by."""
    path = compared.folder / "paces.json"

    def steps() -> dict[str, int]:
        return steps_at_equal_seconds(measured(path, context, setting, compared), setting)

    with context.timed("compare"):
        execute(context, setting, phases(compared, steps))
    found: Mapping[str, Mapping[str, Any]] = read_json(path)
    return found


def measured(
    path: Path, context: Context, setting: Setting, compared: Comparison
) -> dict[str, Any]:
    """Step times of all methods, taken in one go and kept: runs are planned by them."""
    known: dict[str, Any] = read_json(path) if path.exists() else {}
    missing = [name for name in compared.recipes if name not in known]
    if missing:
        baselines = [name for name in compared.recipes if name in BASELINES]
        jobs = {n: compared.job(n, 0) for n in dict.fromkeys([*baselines, *missing])}
        found = paces(Rungs(setting, context.progress), jobs, baselines, context.progress)
        known = {name: pace.as_dict() for name, pace in found.items()} | known
        write_json(path, known)
    return known


def steps_at_equal_seconds(pace: Mapping[str, Any], setting: Setting) -> dict[str, int]:
    first = BASELINES[0]
    ratios = {name: p["ratios"][first][0] for name, p in pace.items()}
    return equal_seconds(ratios, setting.plan.steps)


def results_of(
    compared: Comparison, steps: Mapping[str, int]
) -> dict[str, dict[str, list[Result | None]]]:
    """What came of every run: by method, by what was equal, in the order of seeds."""
    epochs = {n: [compared.job(n, k) for k in range(compared.seeds)] for n in compared.recipes}
    seconds = {
        n: [compared.job(n, k, compared.own(n, steps)) for k in range(compared.seeds)]
        for n in compared.recipes
    }
    return {
        name: {
            "epochs": [stored_result(job) for job in epochs[name]],
            "seconds": [stored_result(job) for job in seconds[name]],
        }
        for name in compared.recipes
    }


def teacher_row(folder: Path | None) -> dict[str, Any] | None:
    """What is known of the teacher that taught."""
    if folder is None:
        return None
    known = read_json(folder / "teacher.json")
    return {key: known.get(key) for key in ("search_accuracy", "params", "macs")}
