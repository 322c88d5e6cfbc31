"""Stage `search`: candidates climb the ladder, the study records what became of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kdsearch.config.knobs import knob_space
from kdsearch.config.objectives import objectives_of
from kdsearch.config.recipes import searched_methods
from kdsearch.config.vary import taught_methods, training_space
from kdsearch.core.objectives import beyond_accuracy
from kdsearch.distill.kinds import brings_up, ships_more, written_elsewhere
from kdsearch.errors import UserError
from kdsearch.files import content_hash
from kdsearch.measure.scores import identity
from kdsearch.pipeline.adoption import adopt, adoptable
from kdsearch.pipeline.bank import banked, distill_plan
from kdsearch.pipeline.climbing import Sought, climb, is_small
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.costs import space_key
from kdsearch.pipeline.differences import switched
from kdsearch.pipeline.jobs import Ground, weights_at
from kdsearch.pipeline.ledger import note_rungs, searching
from kdsearch.pipeline.predicting import predicted_targets
from kdsearch.pipeline.starts import starts_of
from kdsearch.pipeline.supernet import as_plain
from kdsearch.pipeline.teacher import untrained
from kdsearch.pipeline.terms import limits_of, terms_of
from kdsearch.pipeline.trials import readable
from kdsearch.search.limits import Limits
from kdsearch.search.pool import Pool
from kdsearch.search.setting import Setting
from kdsearch.search.study.journal import Study
from kdsearch.search.terms import Terms
from kdsearch.search.trial import Trial

VERSION = 2


@dataclass(frozen=True, slots=True)
class Part:
    """What is searched of all that a config searches."""

    pool: Pool
    planned: int
    """Trials that the sampler reckons with; the config's may be a limit far beyond."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finished search: what the finalists' stage goes on from."""

    study: str
    trials: list[Trial]
    setting: Setting


def searched(context: Context, ground: Ground, part: Part | None = None) -> Found:
    """Runs (or goes on with) the search of this space, these methods and these objectives.

    Args:
        part: what is searched of what the config says; None: all of it.
    """
    part = part or Part(pool_of(context), terms_of(context).trials)
    pool = part.pool
    setting = setting_of(context, ground)
    terms = terms_of(context)
    key = study_key(context, ground, pool, setting)
    name = content_hash(key)
    asked = asked_of(context, pool, part.planned)
    predicted = predicted_targets(context, ground, terms, asked, name)
    run = context.run
    for line in switched(run, name, key):
        context.progress.say(line)
    if earlier := adoptable(run, name, key):
        adopt(context, ground, earlier, (name, pool, terms))
    with readable(run.journal(name)):
        study = Study(run.journal(name), terms.objectives)
    run.trials(name).mkdir(parents=True, exist_ok=True)
    run.link("study.journal", run.journal(name))
    run.link("trials", run.trials(name))
    if run.facts().get("study") not in (None, name):
        run.front.unlink(missing_ok=True)  # another search's: it answers other questions
    run.note(study=name, study_key=key)
    limits = limits_of(context, terms, name)
    if is_open(study.trials, terms, limits, is_over(context, name)):
        with searching(run.ledger, name):
            trials, planned = run.trials(name), part.planned
            weights = weights_at(context, name)
            sought = Sought(
                study, trials, weights, pool, setting, terms, limits, planned, predicted
            )
            climb(context, ground, sought)
        run.note(ended={"study": name, "why": limits.reason, "limits": limits_asked(context)})
    note_rungs(run.ledger, run.trials(name))
    return Found(name, study.trials, setting)


def asked_of(context: Context, pool: Pool, trials: int) -> int:
    """How many students the search asks the latency of, about."""
    return pool.architectures.count() if is_small(context, pool) else trials


def is_over(context: Context, study: str) -> bool:
    """Whether a limit ended this search, and still stands as it was: what was under way then
    came to its end afterwards, and may have made the front grow once more.
    """
    ended = context.run.facts().get("ended", {})
    asked = {"study": study, "limits": limits_asked(context)}
    return bool(ended.get("why")) and ended == {**ended, **asked}


def limits_asked(context: Context) -> dict[str, float | None]:
    """Those beside the number of trials."""
    search = context.config.search
    return {name: getattr(search, name) for name in ("seconds", "device_seconds", "patience")}


def is_open(trials: Sequence[Trial], terms: Terms, limits: Limits, over: bool) -> bool:
    """Whether there is anything left to do."""
    if any(t.state == "running" for t in trials):
        return True
    if over:
        return False
    tried = sum(not t.is_late for t in trials)
    return tried < terms.trials and not limits.reached(trials)


def pool_of(context: Context) -> Pool:
    """What is searched.

    Raises:
        UserError: a method whose students ship with more than themselves.
    """
    methods = searched_methods(context.config)
    for name, space in methods.items():
        if ships_more(name, space):
            raise UserError(
                f"method '{name}' changes the network that ships, and a search measures "
                "students before they are taught; take it out of distill.methods, or use it "
                "in Python: kdsearch.distill_student"
            )
    config = context.config
    return Pool(context.space.space, methods, training_space(config), taught_methods(config))


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
        metrics=beyond_accuracy(objectives_of(config.search.objectives)),
        teachers={name: context.run.facts()["teachers"][name] for name in config.teachers},
    )


def further_asked(context: Context, ground: Ground) -> dict[str, str]:
    """The further targets that the search depends on, with what latencies there hold for."""
    terms = terms_of(context)
    names = [*(one.name for one in terms.objectives), *(b.name for b in terms.bounds)]
    return {name: book.folder.name for name, book in ground.books.asked(names) if name}


def study_key(context: Context, ground: Ground, pool: Pool, setting: Setting) -> dict[str, Any]:
    """What makes two searches the same one: all that a trial's meaning depends on."""
    config = context.config
    methods = {
        method: {name: asdict(axis) for name, axis in space.axes.items()}
        for method, space in pool.methods.items()
    }
    objectives = objectives_of(config.search.objectives)
    own = [one for one in objectives if one.function is not None]
    sources = {m: content_hash(text) for m in methods if (text := written_elsewhere(m))}
    part = pool.architectures
    return {
        "version": VERSION,
        "space": space_key(context),
        **({} if part == context.space.space else {"students": as_plain(part)}),
        "methods": methods,
        "training": {name: asdict(axis) for name, axis in pool.training.axes.items()},
        **({"sources": sources} if sources else {}),
        "data": ground.info.fingerprint,
        "teacher": None if ground.teacher is None else ground.teacher.name,
        "teachers": {name: Path(folder).name for name, folder in setting.teachers.items()},
        "supernet": None if ground.supernet is None else ground.supernet.name,
        "plan": asdict(setting.plan),
        "rungs": list(config.search.rungs),
        "objectives": [one.name for one in objectives],
        **({"functions": identity(own)} if own else {}),
        "sampler": config.search.sampler,
        "batch": config.search.batch_size,
        "screen_layers": config.search.screen_layers,
        "reduction": config.search.reduction,
        "audit": config.search.audit,
        "exhaustive": config.search.exhaustive,
        "starts": [start.as_dict() for start in starts_of(context, pool)],
        "budget": config.budget.model_dump(),
        "target": ground.books.first.folder.name,
        **({"targets": further} if (further := further_asked(context, ground)) else {}),
        "seed": config.seed,
    }
