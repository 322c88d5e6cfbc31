"""How long a training step takes with each method, beside the same student's other methods.

Methods take turns step by step, so that what slows the machine slows them alike; only ratios
within a round are used.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median

import torch

from kdsearch.core.progress import Progress
from kdsearch.core.records import Job
from kdsearch.distill.kinds import method_of
from kdsearch.measure.intervals import median_ci95
from kdsearch.search.rung import Rungs
from kdsearch.training.fit import own_randomness, train_step
from kdsearch.training.optimiser import make_optimiser

WARM_UP = 3
ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Pace:
    seconds: float
    """Median of a training step."""
    ratios: Mapping[str, tuple[float, float, float]]
    """Its time over a baseline's in the same round: median and 95 % interval, by baseline."""
    extra_params: int
    """Parameters that are trained beside the student's."""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def paces(
    rungs: Rungs, jobs: Mapping[str, Job], baselines: Sequence[str], progress: Progress
) -> dict[str, Pace]:
    """By the jobs' keys, of which some are the baselines."""
    progress.start("step times", WARM_UP + ROUNDS)
    turns = {}
    with own_randomness():
        for name, job in jobs.items():
            assert job.recipe is not None
            task = rungs.task(job, method_of(job.recipe))
            task.module.to(memory_format=torch.channels_last).train()
            plan = replace(rungs.setting.plan, seed=job.seed, steps=WARM_UP + ROUNDS)
            batches = rungs.feed.batches(plan, task.shows, 0, plan.steps)
            turns[name] = (task, batches, make_optimiser(task.module, plan), plan)
        rounds: list[dict[str, float]] = []
        for number in range(WARM_UP + ROUNDS):
            times = {}
            for name, (task, batches, optimiser, plan) in turns.items():
                started = time.perf_counter()
                train_step(task, next(batches), optimiser, plan)
                synchronised(rungs.setting.device)
                times[name] = time.perf_counter() - started
            progress.step("step times", number + 1)
            rounds += [times] if number >= WARM_UP else []
    progress.finish("step times")
    extra = {
        name: sum(p.numel() for p in task.module.parameters() if p.requires_grad)
        - sum(p.numel() for p in task.module.student.parameters() if p.requires_grad)
        for name, (task, *_) in turns.items()
    }
    return {
        name: Pace(
            median(times[name] for times in rounds),
            {base: ratio([t[name] / t[base] for t in rounds]) for base in baselines},
            extra[name],
        )
        for name in jobs
    }


def ratio(found: Sequence[float]) -> tuple[float, float, float]:
    """Median and its 95 % interval."""
    return (median(found), *median_ci95(found, seed=0))


def synchronised(device: str) -> None:
    """Waits for what a GPU still has to do."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
