"""Engine `ray-tune`: jobs as Ray Tune trials, on this machine or a cluster that is up.

A thin Searcher hands out the source's jobs; Tune places them, restarts lost workers and reuses
actors. Nothing is restored from Tune's own files: the study is the only record.
"""

import tempfile
from typing import Any

from kdsearch.engines.engine import RETRIES, Workshop, refuse_object
from kdsearch.engines.ray_start import started
from kdsearch.errors import SearchError
from kdsearch.search.source import Source
from kdsearch.stopping import STOP, heeded


def run_on_ray_tune(source: Source, shop: Workshop) -> None:
    """See `Engine`."""
    refuse_object(shop)
    with started(shop.workers, shop.cluster) as ray, heeded():
        fit(ray, source, shop)


def fit(ray: Any, source: Source, shop: Workshop) -> None:
    """Has Tune work through the source.

    Raises:
        Exception: what the source raised, as it is.
        SearchError: Tune ended before the source did.
    """
    from ray import tune

    from kdsearch.engines.ray_room import asked_of
    from kdsearch.engines.ray_searcher import FromSource
    from kdsearch.engines.ray_watch import Watch
    from kdsearch.engines.ray_worker import Worker

    searcher, asked = FromSource(source, shop.progress), asked_of(ray, shop)
    watch = Watch(ray, shop, searcher)
    worker = tune.with_parameters(Worker, setting=shop.setting, make=shop.make)
    with tempfile.TemporaryDirectory(prefix="kdsearch-tune-") as scratch:
        tuner = tune.Tuner(
            tune.with_resources(worker, {"cpu": asked["CPU"], "gpu": asked["GPU"]}),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                num_samples=-1,
                max_concurrent_trials=shop.workers,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                storage_path=scratch,
                name="kdsearch",
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=RETRIES),
                stop={"training_iteration": 1},
                callbacks=[watch],
            ),
        )
        try:
            tuner.fit()
        finally:
            watch.forget()
    if searcher.error:
        raise searcher.error
    if not searcher.is_done and not STOP.is_asked():
        raise SearchError(
            "Ray Tune ended before the search; the same command goes on from here"
        )
