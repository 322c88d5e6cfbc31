"""Why a run ended last, kept in run.json until it begins again: `status` tells it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from kdsearch.errors import KdsearchError, RunError
from kdsearch.pipeline.surroundings import surroundings
from kdsearch.pipeline.team import follows
from kdsearch.rundir import RunDir


@contextmanager
def error_kept(run: RunDir) -> Iterator[None]:
    """The block works on the run; what ends it is noted in one line, Ctrl-C is not.

    Nothing is noted where another process is at work there, or nothing can be written.
    """
    noted(run, "")
    try:
        yield
    except KdsearchError as error:
        noted(run, " ".join(str(error).split("\n")))
        raise
    except Exception as error:
        first = str(error).partition("\n")[0]
        noted(run, surroundings(error) or f"bug: {type(error).__name__}: {first}")
        raise


def noted(run: RunDir, line: str) -> None:
    """An empty line takes an earlier one away; a folder that holds no run is left alone."""
    if follows() or not run.config.exists():
        return
    with suppress(RunError, OSError):
        if run.facts().get("error", "") != line:
            with run.writing():
                run.note(error=line)
