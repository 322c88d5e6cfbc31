"""The seam between search and engine: jobs come out, results go in.

What is no search (finalists, audits, comparisons) is a generator that yields lists of jobs and
is sent their results by name; `Phases` hands them to an engine one by one.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

from kdsearch.core.records import Job, Result
from kdsearch.errors import RunError, SearchError
from kdsearch.search.rung import REFUSED, forget_result, result_path, stored_result

Phase: TypeAlias = Generator[Sequence[Job], Mapping[str, Result], None]
Work: TypeAlias = Callable[[Job], Result]

BUGS_IN_A_ROW = 3
"""So many jobs that failed by no fault of their own, one after the other, end the search."""
NO_TRIALS_FAULT = ("bug", "lost")
"""States of a result that, several times in a row, tell of the machines or of us."""
LASTING = ("done", "diverged")
"""States of a result that the same job would come to again."""


class Source(Protocol):
    def next(self) -> Job | Literal["wait"] | None:
        """A job to do; 'wait' while results are outstanding; None when all is done."""

    def tell(self, result: Result) -> None:
        """What became of a job."""


def adopted(job: Job) -> Result | None:
    """What an earlier sitting left of a job; failures that another day may not see (our bug,
    too little memory) are forgotten, the job is tried once more. So it is where the file is
    damaged; whoever does the job finds and names it.
    """
    try:
        found = stored_result(job)
    except RunError:
        return None
    if found is not None and found.state in LASTING:
        return found
    forget_result(job)
    return None


class Bugs:
    """Counts jobs that failed by our own fault, or whose workers never came to an end of them,
    one after the other.
    """

    def __init__(self) -> None:
        self._count = 0

    def count(self, job: Job, result: Result) -> None:
        """Raises SearchError where they are too many in a row, RunError for a disk's refusal:
        that may be mended, and is held against no trial.
        """
        if REFUSED in result.details:
            raise RunError(result.reason)
        self._count = self._count + 1 if result.state in NO_TRIALS_FAULT else 0
        if self._count >= BUGS_IN_A_ROW:
            details = {
                "bug": f"details stand in {result_path(job)}",
                "lost": "the same command goes on once workers live",
            }
            raise SearchError(
                f"{self._count} jobs failed in a row, the last ({result.job}): "
                f"{result.reason}; {details[result.state]}"
            )


class Phases:
    """A `Source` over a generator of phases; what is found on disk is not done again."""

    def __init__(self, phases: Phase) -> None:
        self._phases = phases
        self._jobs: list[Job] = []
        self._pending: dict[str, Job] = {}
        self._results: dict[str, Result] = {}
        self._bugs = Bugs()
        self._over = False
        self._advance(first=True)

    def next(self) -> Job | Literal["wait"] | None:
        while not self._over and not self._jobs and not self._pending:
            self._advance()
        if self._over:
            return None
        if not self._jobs:
            return "wait"
        job = self._jobs.pop(0)
        self._pending[job.name] = job
        return job

    def tell(self, result: Result) -> None:
        job = self._pending.pop(result.job)
        self._results[result.job] = result
        self._bugs.count(job, result)

    def _advance(self, *, first: bool = False) -> None:
        """Sends the phase's results and takes the next phase, adopting what is on disk."""
        try:
            jobs = next(self._phases) if first else self._phases.send(self._results)
        except StopIteration:
            self._over = True
            return
        self._results = {}
        for job in jobs:
            if (found := adopted(job)) is None:
                self._jobs.append(job)
            else:
                self._results[job.name] = found
