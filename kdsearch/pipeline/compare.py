"""Verb `compare`: the same student taught by several methods, with several seeds, in pairs.

Scores are on the search-validation images; the test images stay closed. "Better" and "worse"
stand only where the 95 % interval of the paired difference leaves zero out.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import kdsearch
from kdsearch.config import Config, resolved_yaml
from kdsearch.config.models import Distill
from kdsearch.config.recipes import recipe_of
from kdsearch.core.progress import Progress
from kdsearch.core.records import Recipe, Result
from kdsearch.distill.kinds import written_elsewhere
from kdsearch.errors import UserError
from kdsearch.files import content_hash, read_json, write_json, write_text
from kdsearch.measure.fingerprint import processor
from kdsearch.pipeline.comparison import comparison_page, rows
from kdsearch.pipeline.context import Context, open_context, training_threads
from kdsearch.pipeline.heartbeat import Heartbeat
from kdsearch.pipeline.jobs import execute
from kdsearch.pipeline.lessons import (
    check_lessons,
    classroom,
    lesson_key,
    lesson_setting,
    student_architecture,
)
from kdsearch.report.comparison import page
from kdsearch.rundir import RunDir, mapping
from kdsearch.search.comparison import Comparison, equal_seconds, phases
from kdsearch.search.pace import paces
from kdsearch.search.rung import Rungs, stored_result
from kdsearch.search.setting import Setting
from kdsearch.search.source import LASTING

BASELINES = ("hard", "soften")
PAGE = "comparison.html"
LONGEST = 100
"""Letters of a recipe that a folder is called by."""


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
    if seeds < 1:
        raise UserError(f"--seeds {seeds}: needs at least 1; 3 or more give intervals")
    rundir = RunDir(out)
    with rundir.writing(), training_threads(config.threads):
        context = open_context(config, out, Heartbeat(progress, rundir.progress))
        write_text(rundir.config, resolved_yaml(config))
        recipes = {text: recipe_of(config.distill, text) for text in methods}
        room = classroom(context)
        info = room.info
        setting = lesson_setting(context, room, recipes.values())
        architecture = student_architecture(context)
        check_lessons(setting, architecture, recipes.values())
        folder = rundir.root / "lessons" / lesson_key(setting, architecture, info)
        places = {text: place_of(text, recipe) for text, recipe in recipes.items()}
        compared = Comparison(architecture, recipes, places, seeds, config.seed, folder)
        pace = done(context, setting, compared)
        results = results_of(compared, steps_at_equal_seconds(pace, setting))
        content = {
            "schema": 1,
            "kdsearch_version": kdsearch.__version__,
            "data": {"name": info.name, "hash": info.fingerprint, "counts": info.counts},
            "space": None if setting.student else context.space.name,
            "student": architecture.as_dict() or {"network": config.student.network},
            "teacher": teacher_row(room.teacher),
            "plan": {
                "epochs": config.distill.epochs,
                "steps": setting.plan.steps,
                "batch_size": setting.plan.batch_size,
            },
            "seeds": seeds,
            "device": processor() if context.device == "cpu" else context.device,
            "methods": rows(compared, results, pace),
        }
        write_json(rundir.root / "comparison.json", content)
        write_text(rundir.root / PAGE, page(comparison_page(content, rundir.root)))
    return content


def place_of(text: str, recipe: Recipe) -> str:
    """Its own words, where they alone make the recipe and a folder may be called so; where the
    config or somebody's own code adds to them, more."""
    sources = written_elsewhere(recipe.method)
    words = text[:LONGEST].replace("/", "_")
    if not sources and words == text and recipe == recipe_of(Distill(), text):
        return text
    return f"{words}-{content_hash([recipe.as_dict(), *sources])}"


def done(
    context: Context, setting: Setting, compared: Comparison
) -> Mapping[str, Mapping[str, Any]]:
    """Has all runs done; returns the step times they were planned by."""

    def steps() -> dict[str, int]:
        return steps_at_equal_seconds(measured(context, setting, compared), setting)

    with context.timed("compare"):
        execute(context, setting, phases(compared, steps))
        return measured(context, setting, compared)


def measured(
    context: Context, setting: Setting, compared: Comparison
) -> dict[str, Mapping[str, Any]]:
    """Step times by method, taken in one go and kept: runs are planned by them.

    A method that no step could be taken with (too little memory) has none.
    """
    path = compared.folder / "paces.json"
    known: dict[str, Any] = mapping(path) if path.exists() else {}
    keys = {name: compared.places[name] for name in stepped(compared)}
    missing = [name for name, key in keys.items() if key not in known]
    if missing:
        baselines = [name for name in keys if name in BASELINES]
        jobs = {n: compared.job(n, 0) for n in dict.fromkeys([*baselines, *missing])}
        found = paces(Rungs(setting, context.progress), jobs, baselines, context.progress)
        known = {keys[name]: pace.as_dict() for name, pace in found.items()} | known
        write_json(path, known)
    return {name: known[key] for name, key in keys.items()}


def stepped(compared: Comparison) -> list[str]:
    """The methods of which a run at equal epochs took steps."""
    found = {
        name: [stored_result(compared.job(name, seed)) for seed in range(compared.seeds)]
        for name in compared.recipes
    }
    return [n for n, runs in found.items() if any(r and r.state in LASTING for r in runs)]


def steps_at_equal_seconds(
    pace: Mapping[str, Mapping[str, Any]], setting: Setting
) -> dict[str, int]:
    """By method; of those that were timed beside the first baseline."""
    first = BASELINES[0]
    ratios = {n: p["ratios"][first][0] for n, p in pace.items() if first in p["ratios"]}
    return equal_seconds(ratios, setting.plan.steps)


def results_of(
    compared: Comparison, steps: Mapping[str, int]
) -> dict[str, dict[str, list[Result | None]]]:
    """What came of every run: by method, by what was equal, in the order of seeds."""
    seeds = range(compared.seeds)
    return {
        name: {
            "epochs": [stored_result(compared.job(name, k)) for k in seeds],
            "seconds": [
                stored_result(compared.job(name, k, compared.own(name, steps)))
                if name in steps
                else None
                for k in seeds
            ],
        }
        for name in compared.recipes
    }


def teacher_row(folder: Path | None) -> dict[str, Any] | None:
    """What is known of the teacher that taught."""
    if folder is None:
        return None
    known = read_json(folder / "teacher.json")
    return {key: known.get(key) for key in ("search_accuracy", "params", "macs")}
