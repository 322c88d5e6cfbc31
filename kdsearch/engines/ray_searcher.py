"""A Tune Searcher over a source of jobs; Tune asks again while there is nothing to hand out."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher

from kdsearch.core.records import Architecture, Job, Recipe, Result
from kdsearch.search.rung import stored_result
from kdsearch.search.source import Source


class FromSource(Searcher):
    """Knows nothing of its own: the study behind the source is the only record.

    Tune wraps, logs and retries what a searcher raises, so an error of the source is kept for
    the engine to raise, and nothing more is handed out.
    """

    def __init__(self, source: Source | None) -> None:
        super().__init__(metric="told", mode="max")
        self.source = source
        self.jobs: dict[str, Job] = {}
        self.error: Exception | None = None
        self.is_done = False

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its settings to restore from them; there is nothing to restore."""
        return {**self.__dict__, "source": None, "jobs": {}, "error": None}

    def suggest(self, trial_id: str) -> Any:
        assert self.source is not None, "a searcher restored from Tune's files"
        job = None if self.error else self.guarded(self.source.next)
        if job is None:
            self.is_done = True
            return Searcher.FINISHED
        if job == "wait":
            return None
        self.jobs[trial_id] = job
        return {"job": as_plain(job)}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        assert self.source is not None, "a searcher restored from Tune's files"
        job = self.jobs.pop(trial_id)
        if not self.error:
            self.guarded(self.source.tell, stored_result(job) or lost(job))

    def guarded(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """What `call` gives; None, and its error kept, if it raises one."""
        try:
            return call(*arguments)
        except Exception as error:
            self.error = error
            return None

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""


def lost(job: Job) -> Result:
    return Result(job.name, job.rung, "lost", reason="its worker was lost again and again")


def as_plain(job: Job) -> dict[str, Any]:
    """A worker has a folder of its own, so what is relative to this one is not."""
    plain = asdict(job)
    plain["folder"] = str(Path(job.folder).absolute())
    plain["architecture"] = job.architecture.as_dict()
    plain["recipe"] = None if job.recipe is None else job.recipe.as_dict()
    return plain


def as_job(plain: dict[str, Any]) -> Job:
    recipe = plain["recipe"]
    return Job(
        **{
            **plain,
            "architecture": Architecture.of(plain["architecture"]),
            "recipe": None if recipe is None else Recipe.read(recipe),
        }
    )
