"""A Tune Searcher over a source of jobs; Tune asks again while there is nothing to hand out."""

from collections.abc import Callable
from typing import Any

from ray.tune.search import Searcher

from kdsearch.core.progress import Once, Progress, Silent
from kdsearch.core.records import Job
from kdsearch.engines.engine import lost
from kdsearch.engines.travel import as_plain
from kdsearch.search.rung import stored_result
from kdsearch.search.source import Source
from kdsearch.stopping import STOP, Stopped

TROUBLE = "trouble"
"""In what a worker gives: an error that is no job's."""
SAID = "said"
"""In what a worker gives: what there is to say of it."""


class FromSource(Searcher):
    """Knows nothing of its own: the study behind the source is the only record.

    Tune wraps, logs and retries what a searcher raises, so an error of the source is kept for
    the engine to raise, and nothing more is handed out.
    """

    def __init__(self, source: Source | None, progress: Progress | None = None) -> None:
        super().__init__(metric="told", mode="max")
        self.word = Once(progress or Silent())
        self.source = source
        self.jobs: dict[str, Job] = {}
        self.said: dict[str, str] = {}
        """Last words of a worker that was lost at a job that was begun again."""
        self.error: Exception | None = None
        self.is_done = False

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its settings to restore from them; there is nothing to restore."""
        nothing: dict[str, Any] = {"source": None, "jobs": {}, "error": None}
        return {**self.__dict__, **nothing, "word": Once(Silent())}

    def suggest(self, trial_id: str) -> Any:
        assert self.source is not None, "a searcher restored from Tune's files"
        stops = self.error is not None or STOP.is_asked()
        job = None if stops else self.guarded(self.source.next)
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
        """A job that was cut short by a stop is told nobody: it is still under way."""
        assert self.source is not None, "a searcher restored from Tune's files"
        job, said = self.jobs.pop(trial_id), self.said.pop(trial_id, "")
        told = result or {}
        self.word.say(told.get(SAID, ""))
        if self.error is None:
            self.error = told.get(TROUBLE)
        if self.error is not None:
            return
        found = self.guarded(stored_result, job)
        if self.error is None and (found is not None or not STOP.is_asked()):
            self.guarded(self.source.tell, found or lost(job, said))

    def guarded(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """What `call` gives; None, and its error kept, if it raises one; None where it was
        asked to stop, which is for the engine to say.
        """
        try:
            return call(*arguments)
        except Stopped:
            return None
        except Exception as error:
            self.error = error
            return None

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""
