"""THE training loop: a step is a function of (plan, step), so a resumed run is the same run.

Batches, augmentation, learning rate and noise are derived from the seed and the step; only
weights, optimiser state and the running average are carried, and a checkpoint holds them.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kdsearch.core.progress import Progress
from kdsearch.training.checkpoint import Progressed, read_checkpoint, write_checkpoint
from kdsearch.training.feed import Source
from kdsearch.training.guard import ENOUGH, Guard
from kdsearch.training.optimiser import clip, make_optimiser
from kdsearch.training.plan import Plan, averaging_decay, learning_rate
from kdsearch.training.task import Batch, Loss, Task


class Telling(NamedTuple):
    """Whom the loop tells that it moves, and what it calls itself."""

    progress: Progress
    title: str


CHECKPOINT_SECONDS = 20.0
CURVE_POINTS = 60


def fit(
    task: Task,
    feed: Source,
    plan: Plan,
    *,
    until: int,
    checkpoint: Path,
    tell: Telling,
) -> Progressed:
    """Trains `task` up to optimiser step `until`, going on from `checkpoint` if it is there.

    The checkpoint is written now and then and at the end; `task.module` is left with the
    weights of step `until`, their running average is in what is returned.

    Raises:
        TrainingError: the loss is not a number, or fell back to chance.
    """
    task.module.to(memory_format=torch.channels_last)
    optimiser = make_optimiser(task.module, plan)
    shipping = averaged_parameters(task)
    at = Progressed(average={n: p.detach().clone() for n, p in shipping.items()})
    if checkpoint.exists():
        at = read_checkpoint(checkpoint, task.module, optimiser)
    guard = Guard(task.classes)
    guard.best = at.best_cross_entropy
    window = max(1, plan.steps // CURVE_POINTS)
    totals: list[Tensor] = []
    entropies: list[Tensor] = []
    images = 0
    saved = time.monotonic()
    tell.progress.start(tell.title, until)
    task.module.train()
    with own_randomness():
        for batch in feed.batches(plan, task.shows, at.step, until):
            step = batch.step
            loss = train_step(task, batch, optimiser, plan)
            average(shipping, at.average, averaging_decay(plan, step))
            totals.append(loss.total.detach())
            entropies.append(loss.cross_entropy.detach())
            images += len(batch.labels)
            at.step = step + 1
            if at.step % window and at.step != until:
                continue
            total = float(torch.stack(totals).mean())
            guard.check(
                torch.stack(totals).tolist(),
                torch.stack(entropies).tolist(),
                step,
                tells_chance=images >= max(plan.batch_size, ENOUGH),
            )
            totals, entropies, images = [], [], 0
            at.curve.append((at.step, total))
            at.best_cross_entropy = guard.best
            tell.progress.step(tell.title, at.step, f"loss {total:.3f}")
            if time.monotonic() - saved > CHECKPOINT_SECONDS and at.step != until:
                write_checkpoint(checkpoint, task.module, optimiser, at)
                saved = time.monotonic()
    write_checkpoint(checkpoint, task.module, optimiser, at)
    tell.progress.finish(tell.title, f"loss {at.curve[-1][1]:.3f}" if at.curve else "")
    return at


def train_step(task: Task, batch: Batch, optimiser: torch.optim.Optimizer, plan: Plan) -> Loss:
    """All the optimiser steps of a batch; returns the first loss, the student's."""
    losses = task.losses(batch)
    first = next(losses)
    apply(first.total, task, optimiser, plan, batch.step)
    for further in losses:
        apply(further.total, task, optimiser, plan, batch.step)
    return first


def apply(
    loss: Tensor, task: Task, optimiser: torch.optim.Optimizer, plan: Plan, step: int
) -> None:
    """One optimiser step; weights that nothing of this step used are left as they are."""
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    clip(task.players, plan)
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(plan, step)
    optimiser.step()


def averaged_parameters(task: Task) -> dict[str, nn.Parameter]:
    """By name those of the first player, of which something ships: no teacher's."""
    first = {id(p) for module in task.players[0] for p in module.parameters()}
    return {n: p for n, p in task.module.named_parameters() if id(p) in first}


@torch.no_grad()
def average(
    parameters: Mapping[str, nn.Parameter], averages: Mapping[str, Tensor], decay: float
) -> None:
    """Moves each running average towards its parameter."""
    current = [p.detach() for p in parameters.values()]
    torch._foreach_lerp_([averages[n] for n in parameters], current, 1 - decay)


@contextmanager
def own_randomness() -> Iterator[None]:
    """Leaves torch's global generators as they were."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        yield
