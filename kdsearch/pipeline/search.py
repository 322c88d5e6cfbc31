"""Stage `search`: candidates climb the ladder, the study records what became of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from kdsearch.config.knobs import knob_space, knob_spaces
from kdsearch.config.vary import taught_methods, training_space
from kdsearch.core.records import Architecture
from kdsearch.data.records import DataInfo
from kdsearch.distill.kinds import brings_up, ships_more, written_elsewhere
from kdsearch.engines import ENGINES
from kdsearch.engines.engine import Workshop
from kdsearch.errors import UserError
from kdsearch.files import content_hash
from kdsearch.measure.book import CostBook
from kdsearch.nets.kinds import family_of
from kdsearch.pipeline.bank import banked, distill_plan
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.costs import bounds_of, space_key
from kdsearch.pipeline.differences import switched
from kdsearch.pipeline.teacher import untrained
from kdsearch.pipeline.trials import readable
from kdsearch.search.climb import Climb, Places, Terms
from kdsearch.search.pool import Pool
from kdsearch.search.setting import Setting
from kdsearch.search.source import Phase, Phases
from kdsearch.search.study.journal import Study
from kdsearch.search.trial import Trial
from kdsearch.supernet.prefixes import in_order

VERSION = 1


@dataclass(frozen=True, slots=True)
class Found:
    """A finished search: what the finalists' stage goes on from."""

    study: str
    trials: list[Trial]
    setting: Setting


@dataclass(frozen=True, slots=True)
class Ground:
    """What the search stands on: the results of the stages before it."""

    data: Path
    info: DataInfo
    teacher: Path | None
    supernet: Path | None
    """None where students share no weights."""
    book: CostBook
    ends: Mapping[str, Mapping[str, float]]
    """Costs of the smallest and the largest student."""


def searched(context: Context, ground: Ground) -> Found:
    """Runs (or goes on with) the search of this space, these methods and these objectives."""
    search = context.config.search
    pool = pool_of(context)
    setting = setting_of(context, ground)
    terms = terms_of(context)
    key = study_key(context, ground, pool, setting)
    name = content_hash(key)
    run = context.run
    for line in switched(run, name, key):
        context.progress.say(line)
    with readable(run.journal(name)):
        study = Study(run.journal(name), terms.objectives)
    run.trials(name).mkdir(parents=True, exist_ok=True)
    run.link("study.journal", run.journal(name))
    run.link("trials", run.trials(name))
    if run.facts().get("study") not in (None, name):
        run.front.unlink(missing_ok=True)  # another search's: it answers other questions
    run.note(study=name, study_key=key)
    known = study.trials()
    told = sum(t.state != "running" for t in known)
    if told < len(known) or len(known) < terms.trials:
        shared = ground.supernet
        inherited = None if shared is None else inherited_folder(context, shared, ground.info)
        with context.timed("search"):
            context.progress.start("search", max(terms.trials, len(known)))
            climb = Climb(
                study,
                pool,
                terms,
                Places(inherited, run.trials(name)),
                costs_of(ground.book, terms),
                ground.ends["largest"],
                context.progress,
                order_of(context),
            )
            execute(context, setting, climb.phases())
            context.progress.finish("search")
    assert search.trials <= len(study.trials()) or told
    return Found(name, study.trials(), setting)


def order_of(context: Context) -> Callable[[Iterable[Architecture]], list[Architecture]]:
    """Puts architectures that share their first segments next to each other."""
    family = family_of(context.space.family)
    if not family.shares_weights:
        return sorted
    with torch.device("meta"):
        net = family.supernet(context.space.space, 1, 2)
    return partial(in_order, net)  # type: ignore[arg-type]  # a Family gives a Supernet


def execute(context: Context, setting: Setting, phases: Phase) -> None:
    """Has the configured engine do the jobs of some phases."""
    search = context.config.search
    shop = Workshop(setting, search.workers, context.progress, context.given)
    ENGINES[search.engine](Phases(phases), shop)


def pool_of(context: Context) -> Pool:
    """What is searched.

    Raises:
        UserError: a method whose students ship with more than themselves.
    """
    methods = knob_spaces(context.config.distill)
    for name, space in methods.items():
        if ships_more(name, space):
            raise UserError(
                f"method '{name}' changes the network that ships, and a search measures "
                "students before they are taught; take it out of distill.methods, or use it "
                "in Python: kdsearch.distill_student"
            )
    config = context.config
    return Pool(context.space.space, methods, training_space(config), taught_methods(config))


def terms_of(context: Context) -> Terms:
    search = context.config.search
    return Terms(
        trials=search.trials,
        batch=search.batch_size,
        sampler=search.sampler,
        fractions=tuple(search.rungs),
        keep_layers=search.screen_layers,
        objectives=tuple(search.objectives),
        bounds=bounds_of(context),
        seed=context.config.seed,
    )


def setting_of(context: Context, ground: Ground) -> Setting:
    plan = distill_plan(context, ground.info)
    bank = banked(context, ground.data, ground.info, ground.teacher, plan)
    teacher, config = ground.teacher, context.config
    distill = config.distill
    if teacher is None and any(brings_up(n, knob_space(distill, n)) for n in distill.names):
        teacher = untrained(context, ground.data, ground.info)
    return Setting(
        data=str(ground.data.resolve()),
        supernet=None if ground.supernet is None else str(ground.supernet.resolve()),
        teacher=None if teacher is None else str(teacher.resolve()),
        family=context.space.family,
        space=context.space.space,
        plan=plan,
        fractions=tuple(config.search.rungs),
        device=context.device,
        threads=config.threads,
        store=str(context.store.root.resolve()),
        bank=None if bank is None else str(bank.resolve()),
        teachers={name: context.run.facts()["teachers"][name] for name in config.teachers},
    )


def costs_of(book: CostBook, terms: Terms) -> Any:
    """Costs as the climb asks for them: latency only if the search depends on it."""
    names = {*terms.objectives, *(bound.name for bound in terms.bounds)}
    timed = "latency_ms" in names

    def costs(architectures: Sequence[Architecture]) -> Mapping[str, Mapping[str, float]]:
        return book.costs(architectures, latency=timed)

    return costs


def inherited_folder(context: Context, supernet: Path, info: DataInfo) -> Path:
    """Where rung 0's results are shared: by supernet, data and calibration."""
    key = {
        "version": VERSION,
        "supernet": supernet.name,
        "data": info.fingerprint,
    }
    return context.store.folder("inherited", key)


def study_key(context: Context, ground: Ground, pool: Pool, setting: Setting) -> dict[str, Any]:
    """What makes two searches the same one: all that a trial's meaning depends on."""
    config = context.config
    methods = {
        method: {name: asdict(axis) for name, axis in space.axes.items()}
        for method, space in pool.methods.items()
    }
    sources = {m: content_hash(text) for m in methods if (text := written_elsewhere(m))}
    return {
        "version": VERSION,
        "space": space_key(context),
        "methods": methods,
        "training": {name: asdict(axis) for name, axis in pool.training.axes.items()},
        **({"sources": sources} if sources else {}),
        "data": ground.info.fingerprint,
        "teacher": None if ground.teacher is None else ground.teacher.name,
        "teachers": {name: Path(folder).name for name, folder in setting.teachers.items()},
        "supernet": None if ground.supernet is None else ground.supernet.name,
        "plan": asdict(setting.plan),
        "rungs": list(config.search.rungs),
        "objectives": list(config.search.objectives),
        "sampler": config.search.sampler,
        "batch": config.search.batch_size,
        "screen_layers": config.search.screen_layers,
        "budget": config.budget.model_dump(),
        "target": ground.book.folder.name,
        "seed": config.seed,
    }
