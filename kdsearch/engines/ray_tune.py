"""Engine `ray-tune`: jobs as Ray Tune trials, on this machine or a cluster that is up.

A thin Searcher hands out the source's jobs; Tune places them, restarts lost workers and reuses
actors. Nothing is restored from Tune's own files: the study is the only record.
A cluster started here is for this machine alone: loopback, no dashboard, no telemetry, token
authentication.
"""

import os
import tempfile
from typing import Any

from kdsearch.engines.engine import Workshop
from kdsearch.errors import TeacherError
from kdsearch.search.source import Source

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
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
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    started_here = not ray.is_initialized()
    if started_here:
        start(ray, shop.workers)
    try:
        fit(source, shop)
    finally:
        if started_here:
            ray.shutdown()


def start(ray: Any, workers: int) -> None:
    """Joins the cluster of RAY_ADDRESS, or starts one on this machine's loopback."""
    common = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=False, logging_level="ERROR")
    else:
        ray.init(num_cpus=workers, _node_ip_address="127.0.0.1", **common)


def fit(source: Source, shop: Workshop) -> None:
    from ray import tune

    from kdsearch.engines.ray_searcher import FromSource
    from kdsearch.engines.ray_worker import Worker

    share = 1 / shop.workers if shop.setting.device.startswith("cuda") else 0
    with tempfile.TemporaryDirectory(prefix="kdsearch-tune-") as scratch:
        tune.Tuner(
            tune.with_resources(
                tune.with_parameters(Worker, setting=shop.setting), {"cpu": 1, "gpu": share}
            ),
            tune_config=tune.TuneConfig(
                search_alg=FromSource(source),
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
