"""A search to be killed: everything real but the objective, which takes a few milliseconds."""

import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import World, done

from kdsearch.core.progress import Silent
from kdsearch.core.records import Job, Result
from kdsearch.core.space import Space
from kdsearch.engines import ENGINES
from kdsearch.engines.engine import Workshop
from kdsearch.files import write_json
from kdsearch.search.rung import result_path
from kdsearch.search.setting import Setting
from kdsearch.training.plan import Plan

NOWHERE = Setting("", None, None, "", Space({}), Plan(1, 1, 0.1, 0, 0), (0.1, 0.3, 1.0))
SECONDS = float(os.environ.get("JOB_SECONDS", "0.003"))
"""How long a job takes."""
TRIALS = int(os.environ.get("TRIALS", "40"))


def search(folder: Path) -> World:
    """Trials on three rungs with halving and audits; TPE proposes."""
    terms = {"trials": TRIALS, "fractions": (0.1, 0.3, 1.0), "reduction": 2.0, "audits": True}
    return World(folder).having(**terms)


def make(setting: Setting, progress: Any, given: Any) -> Any:
    """In place of `Rungs`, in whatever process."""
    return work


def work(job: Job) -> Result:
    time.sleep(SECONDS / 2)
    result = done(job)
    write_json(result_path(job), result.as_dict())
    time.sleep(SECONDS / 2)  # it is on disk, and not noted
    return result


def run(folder: Path, engine: str = "in-process", workers: int = 1) -> None:
    """To the end; takes up what is there."""
    shop = Workshop(NOWHERE, workers, Silent(), make=make)
    ENGINES[engine](search(folder).climb(), shop)


def serve(folder: Path) -> None:
    """For each line on stdin a process of its own runs the search; its number, then its end,
    are lines on stdout. So the packages are imported once.
    """
    for _ in sys.stdin:
        process = os.fork()
        if not process:
            run(folder)
            os._exit(0)
        print(process, flush=True)
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
