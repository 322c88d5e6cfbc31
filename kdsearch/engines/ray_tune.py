"""Engine `ray-tune`: jobs as Ray Tune trials, on this machine or a cluster that is up.

A thin Searcher hands out the source's jobs; Tune places them, restarts lost workers and reuses
actors. Nothing is restored from Tune's own files: the study is the only record.
A cluster started here is for this machine alone: loopback, no dashboard, no telemetry, token
authentication.
"""

import os
import tempfile
from dataclasses import asdict
from typing import Any

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Job, Recipe, Result
from kdsearch.engines.engine import Workshop
from kdsearch.errors import TeacherError
from kdsearch.search.rung import Rungs
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

    share = 1 / shop.workers if shop.setting.device.startswith("cuda") else 0
    with tempfile.TemporaryDirectory(prefix="kdsearch-tune-") as scratch:
        tune.Tuner(
            tune.with_resources(trainable(shop), {"cpu": 1, "gpu": share}),
            tune_config=tune.TuneConfig(
                search_alg=searcher(source),
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


def searcher(source: Source) -> Any:
    """A Tune Searcher over the source; Tune asks again while there is nothing to hand out."""
    from ray.tune.search import Searcher

    class FromSource(Searcher):
        def __init__(self) -> None:
            super().__init__(metric="told", mode="max")
            self.jobs: dict[str, Job] = {}

        def suggest(self, trial_id: str) -> Any:
            job = source.next()
            if job is None:
                return Searcher.FINISHED
            if job == "wait":
                return None
            self.jobs[trial_id] = job
            return {"job": as_plain(job)}

        def on_trial_complete(
            self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
        ) -> None:
            job = self.jobs.pop(trial_id)
            told = result and result.get("result")
            source.tell(Result.of(told) if told else lost(job))

        def save(self, checkpoint_path: str) -> None:
            """Nothing to save: the study is the only record."""

        def restore(self, checkpoint_path: str) -> None:
            """Nothing to restore."""

    return FromSource()


def trainable(shop: Workshop) -> type:
    """A Tune trainable whose actor keeps data, supernet and teacher from job to job."""
    from ray import tune

    setting = shop.setting

    class Worker(tune.Trainable):
        def setup(self, config: dict[str, Any]) -> None:
            self.work = Rungs(setting, Silent())
            self.job = as_job(config["job"])

        def reset_config(self, config: dict[str, Any]) -> bool:
            self.job = as_job(config["job"])
            return True

        def step(self) -> dict[str, Any]:
            return {"result": self.work(self.job).as_dict(), "told": 1, "done": True}

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            """The job keeps its own checkpoint."""

        def load_checkpoint(self, checkpoint: Any) -> None:
            """The job goes on from its own checkpoint."""

    return Worker


def lost(job: Job) -> Result:
    return Result(job.name, job.rung, "lost", reason=f"its worker was lost {RETRIES + 1} times")


def as_plain(job: Job) -> dict[str, Any]:
    plain = asdict(job)
    plain["architecture"] = job.architecture.as_dict()
    plain["recipe"] = None if job.recipe is None else job.recipe.as_dict()
    return plain


def as_job(plain: dict[str, Any]) -> Job:
    recipe = plain["recipe"]
    return Job(
        **{
            **plain,
            "architecture": Architecture.of(plain["architecture"]),
            "recipe": None if recipe is None else Recipe.of(recipe["method"], recipe["knobs"]),
        }
    )
