"""A search whose jobs take no time: what is left is the search itself, the engine, the disk."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from torch import nn

from kdsearch.core.objectives import KNOWN
from kdsearch.core.progress import Progress, Silent
from kdsearch.core.records import Architecture, Job, Result
from kdsearch.core.seeds import derive
from kdsearch.core.space import Range, Space
from kdsearch.distill import METHODS
from kdsearch.files import write_json
from kdsearch.search.climb import Climb
from kdsearch.search.leavings import claim
from kdsearch.search.limits import Limits
from kdsearch.search.pool import Pool
from kdsearch.search.rung import result_path
from kdsearch.search.setting import Setting
from kdsearch.search.study.journal import Study
from kdsearch.search.study.mirror import Question
from kdsearch.search.study.proposer import Proposer
from kdsearch.search.terms import Places, Prices, Terms
from kdsearch.spaces import load_space
from kdsearch.training.plan import Plan

SPACE = load_space("mobile-s32").space
POOL = Pool(
    SPACE,
    {name: METHODS[name].knobs for name in ("soften", "hard", "decoupled")},
    Space({"learning_rate": Range(0.01, 0.5, log=True)}),
)
OBJECTIVES = (KNOWN["accuracy"], KNOWN["params"])
NOWHERE = Setting("/", None, None, "none", SPACE, Plan(1, 1, 0.1, 0.0, 0), (0.5, 1.0))


class Trivial:
    """Does a job at once: an accuracy from the job's seed, on disk as any result is."""

    def __init__(self, setting: Setting, progress: Progress, given: nn.Module | None) -> None:
        pass

    def __call__(self, job: Job) -> Result:
        claim(job)
        result = Result(job.name, job.rung, "done", accuracy=derive(job.seed) / 2**32)
        write_json(result_path(job), result.as_dict())
        return result


class Timed:
    """A source that notes when a result is told, and what memory the driver holds then."""

    def __init__(self, source: Climb) -> None:
        self.source = source
        self.told: list[float] = []
        self.bytes: list[int] = []

    def next(self) -> Job | Literal["wait"] | None:
        return self.source.next()

    def tell(self, result: Result) -> None:
        self.source.tell(result)
        self.told.append(time.perf_counter())
        self.bytes.append(resident())

    def milliseconds(self) -> float:
        """A trial, without what it takes to start."""
        return 1e3 * (self.told[-1] - self.told[0]) / (len(self.told) - 1)


def resident() -> int:
    """Bytes of memory that this process holds (proc(5), statm)."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


def search(folder: Path, trials: int, sampler: str) -> Climb:
    """One job for each trial, each of which comes to its end."""
    terms = Terms(
        trials=trials,
        batch=8,
        fractions=(0.5, 1.0),
        keep_layers=2,
        objectives=OBJECTIVES,
        bounds=(),
        seed=0,
    )
    study = Study(folder / "study.journal", OBJECTIVES)
    question = Question(POOL, OBJECTIVES, sampler, trials)
    return Climb(
        study,
        Proposer(study, question, (), terms.seed),
        terms,
        Places(None, folder / "trials"),
        Prices(costs, lambda asked: True, {"params": 1.0}),
        Limits(OBJECTIVES),
        Silent(),
    )


def costs(architectures: Sequence[Architecture]) -> Mapping[str, Mapping[str, float]]:
    return {a.id: {"params": size(a)} for a in architectures}


def size(architecture: Architecture) -> float:
    numbers = [value for _, value in architecture.choices if isinstance(value, int | float)]
    return float(sum(numbers))


def parameters() -> dict[str, Any]:
    """Optuna's distributions of all that a trial is asked for, knobs of one method included."""
    from kdsearch.search.study.axes import distribution, joint_axes

    return {name: distribution(axis) for name, axis in joint_axes(POOL, "soften").items()}
