"""What a run's config says of its search, in the search's own terms."""

from collections.abc import Iterable, Mapping, Sequence

from kdsearch.config.models import GRID
from kdsearch.config.objectives import objectives_of
from kdsearch.config.targets import bounds_of
from kdsearch.core.records import Architecture
from kdsearch.measure.books import Books
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.ledger import by_rung, sitting
from kdsearch.search.limits import Limits
from kdsearch.search.terms import Costs, Prices, Terms


def terms_of(context: Context) -> Terms:
    search = context.config.search
    return Terms(
        trials=min(search.trials, context.space.space.count())
        if search.sampler == GRID
        else search.trials,
        batch=search.batch_size,
        fractions=tuple(search.rungs),
        keep_layers=search.screen_layers,
        objectives=objectives_of(search.objectives),
        bounds=bounds_of(context.config),
        seed=context.config.seed,
        reduction=search.reduction,
        audits=search.audit,
    )


def limits_of(context: Context, terms: Terms, study: str) -> Limits:
    """The search's limits, and what was spent of them before."""
    run = context.run
    search = context.config.search
    return Limits(
        objectives=terms.objectives,
        seconds=search.seconds,
        device_seconds=search.device_seconds,
        patience=search.patience,
        spent=sitting(run.ledger, study).seconds,
        device_spent=sum(
            row["device_seconds"]
            for rung, row in by_rung(run.trials(study)).items()
            if rung < len(terms.fractions)  # the last is the finalists'
        ),
    )


def prices_of(
    books: Books, terms: Terms, largest: Mapping[str, float], at_screen: Costs | None = None
) -> Prices:
    """Costs as the search asks for them: latencies only on targets that it depends on."""
    names = terms.costs

    def costs(architectures: Sequence[Architecture]) -> Mapping[str, Mapping[str, float]]:
        return books.costs(architectures, names)

    def are_known(architectures: Iterable[Architecture]) -> bool:
        return books.are_known(architectures, names)

    return Prices(costs, are_known, largest, at_screen)
