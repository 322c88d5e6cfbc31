"""THE training loop: a step is a function of (plan, step), so a resumed run is the same run.

Batches, augmentation, learning rate and noise are derived from the seed and the step; only
weights, optimiser state and the running average are carried, and a checkpoint holds them. A run
that goes wrong goes back to its last checkpoint, as often as the plan allows. Processes of one
group (ranks.py) train one network, see parallel.py: all of them call `fit` with equal tasks.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kdsearch.core.progress import Progress, Silent
from kdsearch.errors import RunError, TrainingError
from kdsearch.files import write_bytes
from kdsearch.places import Place
from kdsearch.ranks import as_first, first_says, meet, rank, world
from kdsearch.stopping import STOP, STOPPING, Stopped, heeded
from kdsearch.training.checkpoint import Progressed, packed, read_checkpoint, write_checkpoint
from kdsearch.training.feed import Source
from kdsearch.training.guard import ENOUGH, Guard
from kdsearch.training.optimiser import clip, make_optimiser
from kdsearch.training.parallel import average_gradients, averaged, check_alike
from kdsearch.training.plan import Plan, averaging_decay, learning_rate, slowed
from kdsearch.training.task import Batch, Loss, Task


class Telling(NamedTuple):
    """Whom the loop tells that it moves, and what it calls itself."""

    progress: Progress
    title: str


CHECKPOINT_SECONDS = 20.0
CHECKPOINTS = 20
"""Of a run that may roll back, at fixed steps, so that it does not depend on the clock."""
CURVE_POINTS = 60


def fit(
    task: Task,
    feed: Source,
    plan: Plan,
    *,
    until: int,
    checkpoint: Place,
    tell: Telling,
) -> Progressed:
    """Trains `task` up to optimiser step `until`, going on from `checkpoint` if it is there
    and whole.

    The checkpoint is written now and then and at the end; `task.module` is left with the
    weights of step `until`, their running average is in what is returned. Of processes that
    train together the first one's path counts, which all of them can read, and its progress.

    Raises:
        TrainingError: the loss is not a number, or fell back to chance, once more than the
            plan's `rollbacks`.
        Stopped: asked to; how far it came is in the checkpoint.
    """
    task.module.to(memory_format=torch.channels_last)
    as_first([*task.module.parameters(), *task.module.buffers()])
    tell = tell if rank() == 0 else Telling(Silent(), tell.title)
    run = Run(task, plan, checkpoint, tell)
    tell.progress.start(tell.title, until)
    task.module.train()
    with heeded(), own_randomness():
        while True:
            try:
                run.go_on(feed, until)
                break
            except TrainingError as error:
                run.roll_back(error)
    at = run.at
    tell.progress.finish(tell.title, f"loss {at.curve[-1][1]:.3f}" if at.curve else "")
    return at


class Run:
    """One run under way; `at` and what it trains are at the same step after each of it."""

    def __init__(self, task: Task, plan: Plan, checkpoint: Place, tell: Telling) -> None:
        self.task, self.plan, self.tell = task, plan, tell
        self.checkpoint, is_there = first_says((checkpoint, checkpoint.exists()))
        self.optimiser = make_optimiser(task.module, plan)
        self.shipping = averaged_parameters(task)
        self.guard = Guard(task.classes)
        self.window = max(1, plan.steps // CURVE_POINTS)
        self.at = Progressed(average={n: p.detach().clone() for n, p in self.shipping.items()})
        self.saved = time.monotonic()
        self.unproven: bytes | None = None
        if not (is_there and self.taken_up()) and plan.rollbacks:
            self.save()

    def go_on(self, feed: Source, until: int) -> None:
        """Trains from where it is."""
        plan, at = slowed(self.plan, self.at.rollbacks), self.at
        losses, images = self.reopened()
        for batch in feed.batches(plan, self.task.shows, at.step, until):
            loss = train_step(self.task, batch, self.optimiser, plan)
            average(self.shipping, at.average, averaging_decay(plan, batch.step))
            losses.append(Loss(loss.total.detach(), loss.cross_entropy.detach()))
            images += len(batch.labels)
            at.step = batch.step + 1
            is_last = at.step == until
            if is_last or at.step % self.window == 0:
                self.look_back(losses, images)
                losses, images = [], 0
                if not is_last:
                    self.keep()
            if not is_last and STOP.is_asked():
                self.stop(losses, images)
        self.save()

    def reopened(self) -> tuple[list[Loss], int]:
        """Losses and images of the window that a stop cut through."""
        device = next(self.task.module.parameters()).device
        losses = [
            Loss(torch.tensor(total, device=device), torch.tensor(own, device=device))
            for total, own in self.at.losses
        ]
        images, self.at.losses, self.at.images = self.at.images, [], 0
        return losses, images

    def stop(self, losses: list[Loss], images: int) -> None:
        """Ends here, the state written down; where one may have to go back to a checkpoint, the
        last one that is proven stays.

        Raises:
            Stopped: always.
        """
        self.tell.progress.say(STOPPING)
        if not self.plan.rollbacks:
            self.at.losses = [(float(one.total), float(one.cross_entropy)) for one in losses]
            self.at.images = images
            self.save()
        raise Stopped

    def look_back(self, losses: list[Loss], images: int) -> None:
        """What a window of steps says; raises TrainingError where it went wrong.

        Buffers become the first process's, as a checkpoint has them: with it, and without a
        stop, what follows is the same.
        """
        values = averaged(
            torch.stack([torch.stack(part) for part in zip(*losses, strict=True)])
        )
        total, entropy = values.tolist()
        mean = float(values[0].mean())
        self.guard.check(
            total,
            entropy,
            self.at.step - 1,
            tells_chance=images * world() >= max(self.plan.batch_size, ENOUGH),
        )
        check_alike(self.task.module, self.at.step)
        as_first(self.task.module.buffers())
        self.at.curve.append((self.at.step, mean))
        self.at.best_cross_entropy = self.guard.best
        note = f"loss {mean:.3f}"
        if self.at.rollbacks:
            note += f", rolled back ({self.at.rollbacks} of {self.plan.rollbacks})"
        self.tell.progress.step(self.tell.title, self.at.step, note)

    def keep(self) -> None:
        """A checkpoint at the end of a window, where one is due.

        One to go back to is written when the window after it went well, too: the last weights
        of a window are the first to be wrong, and its losses do not show it.
        """
        if rank():
            return
        if not self.plan.rollbacks:
            if time.monotonic() - self.saved > CHECKPOINT_SECONDS:
                self.save()
            return
        if self.unproven is not None:
            write_bytes(self.checkpoint, self.unproven)
        now, before = (
            step * CHECKPOINTS // self.plan.steps
            for step in (self.at.step, self.at.step - self.window)
        )
        is_due = now > before
        self.unproven = packed(self.task.module, self.optimiser, self.at) if is_due else None

    def save(self) -> None:
        if rank() == 0:
            write_checkpoint(self.checkpoint, self.task.module, self.optimiser, self.at)
        self.saved = time.monotonic()

    def taken_up(self) -> bool:
        """Whether it goes on from its checkpoint; a damaged one is left, and named."""
        try:
            self.restore()
        except RunError:
            meet()
            self.tell.progress.say(f"{self.checkpoint}: damaged; {self.tell.title} begins anew")
            return False
        return True

    def restore(self) -> None:
        self.at = read_checkpoint(self.checkpoint, self.task.module, self.optimiser)
        meet()  # before the first process writes another one over it
        self.guard.best = self.at.best_cross_entropy
        self.unproven = None

    def roll_back(self, error: TrainingError) -> None:
        """Back to the last checkpoint, the learning rate halved from there; it is written down
        there at once, so that whoever is killed afterwards goes on at the same rate.

        Raises:
            TrainingError: the one that was given, where this was done too often already.
        """
        if self.at.rollbacks >= self.plan.rollbacks:
            raise error
        self.restore()
        self.at.rollbacks += 1
        self.save()
        self.tell.progress.say(
            f"{self.tell.title}: {error}; back to step {self.at.step} at half the learning "
            f"rate ({self.at.rollbacks} of {self.plan.rollbacks})"
        )


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
    average_gradients(task.module)
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
