"""Verb `dashboard`: the trials of a run in optuna-dashboard, also while it is at work."""

from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir
from kdsearch.search.study.dashboard import serve


def dashboard(run: RunDir, port: int) -> None:
    """Until it is interrupted.

    Raises:
        RunError: there is no run here, its search has not begun, or its journal was damaged.
        UserError: the extra is not installed, or the port is taken.
    """
    trials(run)
    serve(run.journal(run.facts()["study"]), port)
