"""Engine `ray-tune`: jobs as Ray Tune trials, on this machine or a cluster that is up.

A thin Searcher hands out the source's jobs; Tune places them, restarts lost workers and reuses
actors. Nothing is restored from Tune's own files: the study is the only record.
A cluster started here is for this machine alone: loopback, no dashboard, no telemetry, token
authentication.
"""

import os
import sys
import tempfile
from typing import Any

from kdsearch.engines.engine import Workshop
from kdsearch.errors import SearchError, TeacherError, UserError
from kdsearch.search.source import Source

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
RETRIES = 2
"""How often a job whose worker was lost is started again."""


def run_on_ray_tune(source: Source, shop: Workshop) -> None:
    """See `Engine`."""
    if shop.given is not None:
        raise TeacherError(
            "a teacher passed as a Python object cannot travel to Ray's workers; name it as "
            "teacher.network: module:pkg.mod:factory, or use search.engine: in-process"
        )
    ray, is_ours = start(shop.workers)
    try:
        fit(source, shop)
    finally:
        if is_ours:
            ray.shutdown()


def start(workers: int) -> tuple[Any, bool]:
    """Ray, up: as it was found, joined at RAY_ADDRESS, or started on this machine's loopback.

    Returns:
        The package, and whether it was started (or joined) here.

    Raises:
        UserError: it would have to be started, but cannot be kept to this machine any more.
    """
    came_before = "ray" in sys.modules and not os.environ.keys() >= QUIET.keys()
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        return ray, False
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(**quiet)
    elif came_before:
        raise UserError(
            "ray was imported before kdsearch could keep it to this machine (Ray reads its "
            "settings on import); import it later, or call ray.init() yourself"
        )
    else:
        ray.init(
            num_cpus=workers, include_dashboard=False, _node_ip_address="127.0.0.1", **quiet
        )
    return ray, True


def fit(source: Source, shop: Workshop) -> None:
    """Has Tune work through the source.

    Raises:
        Exception: what the source raised, as it is.
        SearchError: Tune ended before the source did.
    """
    from ray import tune

    from kdsearch.engines.ray_searcher import FromSource
    from kdsearch.engines.ray_worker import Worker

    share = 1 / shop.workers if shop.setting.device.startswith("cuda") else 0
    searcher = FromSource(source)
    with tempfile.TemporaryDirectory(prefix="kdsearch-tune-") as scratch:
        tune.Tuner(
            tune.with_resources(
                tune.with_parameters(Worker, setting=shop.setting), {"cpu": 1, "gpu": share}
            ),
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
            ),
        ).fit()
    if searcher.error:
        raise searcher.error
    if not searcher.is_done:
        raise SearchError(
            "Ray Tune ended before the search; the same command goes on from here"
        )
