"""The search itself: what it stands on put together, its jobs done."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kdsearch.core.quantities import several
from kdsearch.core.records import Architecture, Result
from kdsearch.measure.profile import Profile
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.jobs import Ground, execute, inherited_folder, order_of, work_off
from kdsearch.pipeline.predicting import Guesses
from kdsearch.pipeline.starts import starts_of
from kdsearch.pipeline.terms import prices_of
from kdsearch.search.climb import Climb
from kdsearch.search.jobs import inherited_job
from kdsearch.search.limits import Limits
from kdsearch.search.outlook import Outlook
from kdsearch.search.pool import Pool
from kdsearch.search.setting import Setting
from kdsearch.search.source import Phase
from kdsearch.search.study.journal import Study
from kdsearch.search.study.mirror import Question
from kdsearch.search.study.proposer import Proposer
from kdsearch.search.terms import Places, Prices, Terms


@dataclass(frozen=True, slots=True)
class Sought:
    """A search as it is to go on."""

    study: Study
    trials: Path
    """Where the trials' files lie."""
    weights: str
    """Where their weights do, see `weights_at`."""
    pool: Pool
    setting: Setting
    terms: Terms
    limits: Limits
    planned: int
    """Trials that the sampler reckons with."""
    predicted: Mapping[str, Profile]
    """By target, where the screen's latencies are predicted."""


def climb(context: Context, ground: Ground, sought: Sought) -> None:
    """Works through the search, or what is left of it."""
    study, terms, supernet = sought.study, sought.terms, ground.supernet
    inherited = None
    if supernet is not None:
        metrics = sought.setting.metrics
        inherited = inherited_folder(context, supernet, ground.info, metrics)
    prices = sought_prices(context, ground, sought)
    depths = None
    if inherited is not None and is_small(context, sought.pool):
        depths = depths_of(context, ground, sought, inherited)
    question = Question(
        sought.pool,
        terms.objectives,
        context.config.search.sampler,
        sought.planned,
        bounded=bool(terms.bounds),
    )
    context.progress.start("search", max(terms.trials, len(study.trials)))
    source = Climb(
        study,
        Proposer(study, question, starts_of(context, sought.pool), terms.seed),
        terms,
        Places(inherited, sought.trials, sought.weights),
        prices,
        sought.limits,
        context.progress,
        order_of(context),
        depths,
    )
    work_off(context, sought.setting, source)
    context.progress.finish("search", sought.limits.reason)


def sought_prices(context: Context, ground: Ground, sought: Sought) -> Prices:
    terms, largest = sought.terms, ground.ends["largest"]
    guesses = None
    if sought.predicted:
        folder = context.run.predictions
        guesses = Guesses(ground.books, sought.predicted, terms, largest, folder)
    return prices_of(ground.books, terms, largest, guesses)


def is_small(context: Context, pool: Pool) -> bool:
    """Whether every student is scored with inherited weights before any trial."""
    return pool.architectures.count() <= context.config.search.exhaustive


def depths_of(
    context: Context, ground: Ground, sought: Sought, inherited: Path
) -> dict[Architecture, int]:
    """The layers of a small space's students that may be worth a training."""
    everyone = [Architecture.of(point) for point in sought.pool.architectures.points()]
    jobs = [inherited_job(a, inherited) for a in order_of(context)(everyone)]
    results: dict[str, Result] = {}

    def phases() -> Phase:
        results.update((yield jobs))

    context.progress.say(f"search: all {several(len(jobs), 'student')} with inherited weights")
    execute(context, sought.setting, phases())
    books, prices = ground.books, sought_prices(context, ground, sought)
    outlook = Outlook(lambda asked: books.costs(asked, ()), prices, sought.terms)
    found = outlook.depths(jobs, results)
    worth = sum(depth < sought.terms.keep_layers for depth in found.values())
    context.progress.say(f"search: {worth} of them are worth a training")
    return found
