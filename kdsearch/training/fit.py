"""THE training loop: a step is a function of (plan, step), so a resumed run is the same run.

Batches, augmentation, learning rate and noise are derived from the seed and the step; only
weights, optimiser state and the running average are carried, and a checkpoint holds them.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kdsearch.core.progress import Progress
from kdsearch.core.seeds import derive
from kdsearch.data.augment import Augment, normalise
from kdsearch.data.batches import Batches
from kdsearch.data.records import DataInfo, Split
from kdsearch.training.checkpoint import Progressed, read_checkpoint, write_checkpoint
from kdsearch.training.guard import Guard
from kdsearch.training.plan import Plan, averaging_decay, learning_rate
from kdsearch.training.task import Task


class Telling(NamedTuple):
    """Whom the loop tells that it moves, and what it calls itself."""

    progress: Progress
    title: str


CHECKPOINT_SECONDS = 20.0
CURVE_POINTS = 60


@dataclass(frozen=True, slots=True)
class Feed:
    """The training images, on the device that trains, and how they are shown."""

    split: Split
    info: DataInfo


def fit(
    task: Task,
    feed: Feed,
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
    at = Progressed(average={n: p.detach().clone() for n, p in task.module.named_parameters()})
    if checkpoint.exists():
        at = read_checkpoint(checkpoint, task.module, optimiser)
    guard = Guard(task.classes)
    guard.best = at.best_cross_entropy
    window = max(1, plan.steps // CURVE_POINTS)
    totals: list[Tensor] = []
    entropies: list[Tensor] = []
    saved = time.monotonic()
    tell.progress.start(tell.title, until)
    task.module.train()
    with own_randomness():
        for images, labels, step in batches(feed, plan, at.step, until):
            loss = task.loss(images, labels, step)
            apply(loss.total, task.module, optimiser, plan, step)
            average(task.module, at.average, averaging_decay(plan, step))
            totals.append(loss.total.detach())
            entropies.append(loss.cross_entropy.detach())
            at.step = step + 1
            if at.step % window and at.step != until:
                continue
            total = float(torch.stack(totals).mean())
            guard.check(torch.stack(totals).tolist(), torch.stack(entropies).tolist(), step)
            totals, entropies = [], []
            at.curve.append((at.step, total))
            at.best_cross_entropy = guard.best
            tell.progress.step(tell.title, at.step, f"loss {total:.3f}")
            if time.monotonic() - saved > CHECKPOINT_SECONDS and at.step != until:
                write_checkpoint(checkpoint, task.module, optimiser, at)
                saved = time.monotonic()
    write_checkpoint(checkpoint, task.module, optimiser, at)
    tell.progress.finish(tell.title, f"loss {at.curve[-1][1]:.3f}" if at.curve else "")
    return at


def make_optimiser(module: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum; no weight decay on biases and norms."""
    trained = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": plan.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        [g for g in groups if g["params"]],
        lr=plan.learning_rate,
        momentum=plan.momentum,
        nesterov=True,
    )


def batches(
    feed: Feed, plan: Plan, start: int, until: int
) -> Iterator[tuple[Tensor, Tensor, int]]:
    """(normalised images, labels, step) of each step from `start` up to `until`."""
    order = Batches(feed.split, plan.batch_size, plan.seed)
    augment = Augment(plan.augment, feed.info.size)
    for step in range(start, until):
        indices = order.at(step).to(feed.split.images.device)
        images = augment(feed.split.images[indices], derive(plan.seed, "augment", step))
        torch.manual_seed(derive(plan.seed, "noise", step))
        shown = normalise(images, feed.info.mean, feed.info.std)
        yield (
            shown.contiguous(memory_format=torch.channels_last),
            feed.split.labels[indices],
            step,
        )


def apply(
    loss: Tensor, module: nn.Module, optimiser: torch.optim.Optimizer, plan: Plan, step: int
) -> None:
    """One optimiser step; weights that no path of this step used are left as they are."""
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(module.parameters(), plan.clip)
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(plan, step)
    optimiser.step()


@torch.no_grad()
def average(module: nn.Module, averages: dict[str, Tensor], decay: float) -> None:
    """Moves each running average towards its parameter."""
    current = [p.detach() for _, p in module.named_parameters()]
    torch._foreach_lerp_(
        [averages[n] for n, _ in module.named_parameters()], current, 1 - decay
    )


@contextmanager
def own_randomness() -> Iterator[None]:
    """Leaves torch's global generators as they were."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        yield
