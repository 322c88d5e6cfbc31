"""A change of the weights in mid-training: what is kept beside them begins afresh."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kdsearch.ranks import meet, rank
from kdsearch.training.checkpoint import read_checkpoint, write_checkpoint
from kdsearch.training.fit import averaged_parameters
from kdsearch.training.optimiser import make_optimiser
from kdsearch.training.plan import Plan
from kdsearch.training.task import Task


def rearrange(
    task: Task, plan: Plan, checkpoint: Path, number: int, change: Callable[[], None]
) -> None:
    """Makes the `number`th change (from 1) to a run that stopped at its checkpoint.

    Momentum and running average belong to the weights as they were, and start anew. A run
    that goes on behind the change is left alone: the checkpoint counts the changes.
    """
    optimiser = make_optimiser(task.module, plan)
    at = read_checkpoint(checkpoint, task.module, optimiser)
    if at.rearranged >= number:
        return
    change()
    average = {n: p.detach().clone() for n, p in averaged_parameters(task).items()}
    fresh = replace(at, average=average, rearranged=number)
    meet()  # all have read the old one
    if rank() == 0:
        write_checkpoint(checkpoint, task.module, make_optimiser(task.module, plan), fresh)
    meet()
