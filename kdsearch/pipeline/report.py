"""Verb `report`: RUN/report.html from the files of a run, however far it has come."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import kdsearch
from kdsearch.config import Config, read_config
from kdsearch.config.objectives import objectives_of
from kdsearch.config.recipes import searched_methods
from kdsearch.config.targets import bounds_of
from kdsearch.config.vary import training_space
from kdsearch.core.budget import resolve
from kdsearch.core.objectives import Objective
from kdsearch.core.quantities import several
from kdsearch.core.space import Space
from kdsearch.data.records import DataInfo
from kdsearch.data.stored import read_info
from kdsearch.errors import UserError
from kdsearch.files import content_hash, file_hash, write_text
from kdsearch.pipeline.front import busy_lines
from kdsearch.pipeline.importance import important, is_enough
from kdsearch.pipeline.ledger import spent as seconds_by_stage
from kdsearch.pipeline.report_choice import choice, knee_of, state
from kdsearch.pipeline.report_extras import BASELINES, Extras
from kdsearch.pipeline.report_students import students, targets
from kdsearch.pipeline.standing import standing
from kdsearch.pipeline.status import stages as stage_words
from kdsearch.pipeline.trials import named_scores, recorded
from kdsearch.report import summary as rows
from kdsearch.report.front import front_svg
from kdsearch.report.page import page
from kdsearch.rundir import RunDir
from kdsearch.search.trial import Trial
from kdsearch.spaces import load_space

SHOWN = ("points", "hypervolume", "space")
"""Of front.json."""


def reported(run: RunDir, to: Path | None = None) -> Path:
    """Writes the page, to RUN/report.html unless a file is named, and returns its path.

    Raises:
        RunError: there is no run here.
        UserError: the file named is a folder.
    """
    run.read(run.state)
    mark, summary = mark_of(run), summarized(run)
    if to is not None:
        if to.is_dir():
            raise UserError(f"{to}: a folder; --to names a file")
        write_text(to, page(summary))
        return to
    write_text(run.picture, front_svg(summary))
    write_text(run.report, page(summary) + mark)
    return run.report


def is_stale(run: RunDir) -> bool:
    """Whether the page is missing, or shows other files than there are now."""
    if not run.report.exists():
        return True
    return not run.report.read_text(encoding="utf-8").endswith(mark_of(run))


def mark_of(run: RunDir) -> str:
    """Names the content of what a page shows; times do not tell, clocks may be set back."""
    held = run.root / BASELINES
    shown = (run.config, run.state, run.ledger, run.front, run.delivered, run.audit, held)
    known = {path.name: file_hash(path) for path in shown if path.exists()}
    return f"<!-- {content_hash(known)} -->\n"


def summarized(run: RunDir, *, quickly: bool = False) -> rows.Summary:
    """Everything the page shows, read from the run's files alone; `quickly`: without what
    mattered, which takes seconds to work out."""
    facts = run.facts()
    config = read_config(run.config)
    front = run.read(run.front, *SHOWN) if run.front.exists() else None
    extras = Extras(run, config, facts)
    trials = recorded(run, facts["study"]) if "study" in facts else []
    info = extras.told(partial(data_info, facts), None)
    objectives = objectives_of(config.search.objectives)
    cost = next(one.name for one in objectives if not one.scored)
    points = [] if front is None else front["points"]
    budget, teacher = tuple(limits(config, facts)), extras.teacher()
    return rows.Summary(
        run=run.root.resolve().name,
        made=datetime.now().strftime("%Y-%m-%d %H:%M"),
        version=kdsearch.__version__,
        cost=cost,
        students=students(points, objectives),
        knee=knee_of(points, objectives),
        teacher=teacher,
        limits=budget,
        trials=tuple(dot(t, [one.name for one in objectives], cost) for t in trials),
        curves=extras.curves(points),
        search=searched(config, objectives, facts, front, standing(run, facts, trials, None)),
        baselines=extras.baselines(),
        stages=tuple(times(run, facts, trials)),
        data=None if info is None else data_of(info),
        device=extras.device(),
        audit=extras.audit(),
        predictor={} if front is None else front.get("predictor") or {},
        targets=targets(front),
        choice=choice(
            run,
            front,
            objectives,
            trials,
            limits={one.cost: one.value for one in budget},
            teacher=teacher,
        ),
        importance=() if quickly else tuple(mattering(run, trials)),
        warnings=(*warnings(config, points, info), *extras.left_out),
    )


def mattering(run: RunDir, trials: list[Trial]) -> list[dict[str, Any]]:
    """None where there are too few trials to say anything."""
    entries = important(run, trials)
    return entries if is_enough(entries) else []


def limits(config: Config, facts: Mapping[str, Any]) -> Iterator[rows.Limit]:
    if "ends" not in facts:
        return
    for bound in bounds_of(config):
        yield rows.Limit(
            bound.name,
            resolve(bound, facts["ends"]["largest"]),
            str(bound),
        )


def dot(trial: Trial, objectives: Sequence[str], cost: str) -> rows.TrialDot:
    """A trial as a dot: how far it came, and its accuracy and cost there."""
    scores = named_scores(trial, objectives)
    return rows.TrialDot(
        f"trial {trial.number}",
        state(trial),  # type: ignore[arg-type]  # one of the states that are drawn
        scores.get("accuracy"),
        scores.get(cost),
        trial.rung if trial.scores else None,
        trial.reason,
    )


def searched(
    config: Config,
    objectives: Sequence[Objective],
    facts: Mapping[str, Any],
    front: Mapping[str, Any] | None,
    stands: Mapping[str, Any],
) -> rows.SearchSummary:
    """`stands`: see `standing`."""
    space = load_space(config.space)
    pool = searched_methods(config)
    return rows.SearchSummary(
        space=space.name,
        count=space.count,
        sampler=config.search.sampler,
        engine=config.search.engine,
        trials=config.search.trials,
        objectives=tuple(one.name for one in objectives),
        rungs=tuple(config.search.rungs),
        inherits="supernet" not in facts or facts["supernet"] is not None,
        methods=tuple(
            rows.MethodRow(name, {k: str(a) for k, a in knobs.axes.items()})
            for name, knobs in (pool | varied(config)).items()
        ),
        choices={name: str(axis) for name, axis in space.space.axes.items()},
        hypervolume=None if front is None else front["hypervolume"],
        ended_by=stands.get("ended_by") or "",
        climbed=tuple(climbed(stands)),
    )


def climbed(stands: Mapping[str, Any]) -> Iterator[rows.RungRow]:
    """The rungs of the search, those of finalists left out."""
    told = {one["rung"]: one for one in stands.get("agreement", ())}
    for rung, trials in stands.get("rungs", {}).items():
        beside = told.get(int(rung), {"says": "", "tau": None})
        seconds = stands["device_seconds"].get(rung)
        yield rows.RungRow(int(rung), trials, seconds, beside["says"], beside["tau"])


def varied(config: Config) -> dict[str, Space]:
    """What a search varies of the training, as the row after the methods' own."""
    training = training_space(config)
    return {"training, of every method": training} if training.axes else {}


def times(
    run: RunDir, facts: Mapping[str, Any], trials: list[Trial]
) -> Iterator[rows.StageTime]:
    spent = seconds_by_stage(run.ledger)
    for name, word in stage_words(run, facts, trials).items():
        if name in spent:
            yield rows.StageTime(name, spent[name])
        elif word == "done" and name in ("data", "teacher", "supernet"):
            yield rows.StageTime(name, None, reused=True)


def data_info(facts: Mapping[str, Any]) -> DataInfo | None:
    return read_info(Path(facts["data"])) if "data" in facts else None


def data_of(info: DataInfo) -> rows.DataSummary:
    kind = {1: "grey", 3: "RGB"}.get(info.channels, f"{info.channels} channels")
    order = ("train", "calibration", "search_val", "test")
    return rows.DataSummary(
        name=info.name,
        classes=tuple(info.classes),
        image=f"{info.size} × {info.size}, {kind}",
        splits={part: info.counts[part] for part in order if part in info.counts},
        skipped=tuple(info.skipped),
        fingerprint=info.fingerprint,
    )


def warnings(
    config: Config, points: list[dict[str, Any]], info: DataInfo | None
) -> Iterator[str]:
    """What a careful reader should know before trusting the page."""
    if info is not None and info.skipped:
        yield f"{len(info.skipped)} broken images were left out of the data"
    if points and config.finalists.seeds == 1:
        yield (
            "each student was trained once: its interval says what other images would give, "
            "not what another training run would (finalists.seeds)"
        )
    yield from busy_lines(points)
    if 0 < len(points) < 4:
        size = several(len(points), "student")
        yield f"the front has {size}; more search.trials may find others"
