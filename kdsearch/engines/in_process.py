"""Engine `in-process`: one job after the other, here; Ray is not even imported."""

from kdsearch.engines.engine import Workshop
from kdsearch.errors import UserError
from kdsearch.search.source import Source


def run_in_process(source: Source, shop: Workshop) -> None:
    """See `Engine`."""
    if shop.workers != 1:
        raise UserError(
            f"search.workers = {shop.workers}: engine in-process has one; "
            "search.engine: ray-tune or ray-actors runs several"
        )
    work = shop.make(shop.setting, shop.progress, shop.given)
    while (job := source.next()) is not None:
        assert job != "wait", "one job at a time is never waited for"
        source.tell(work(job))
