"""The task of a supernet: many students a step, one teacher forward, one backward.

Which students a step sees is a policy's choice (policies/), how each is taught a method's. By
default the largest student learns from labels and the teacher, the smallest and a few random
ones from the largest (in-place distillation, Yu & Huang, 2019, arXiv:1903.05134, sec. 3.2: its
detached logits, temperature 1, no labels).
"""

import random
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.seeds import derive
from kdsearch.core.shrinking import opened
from kdsearch.core.space import Space
from kdsearch.distill.method import Seen, there
from kdsearch.errors import UserError
from kdsearch.output import Output, single
from kdsearch.supernet.policies.policy import Policy
from kdsearch.supernet.teaching import Largest, Teaching, imitations, largest_learners
from kdsearch.training.distillation import frozen
from kdsearch.training.learners import OnlineTeacher
from kdsearch.training.online import led, said
from kdsearch.training.precision import autocast
from kdsearch.training.task import Batch, Loss, Sample, Shows


class Sampling(NamedTuple):
    """Which students each step trains."""

    space: Space
    policy: Policy
    seed: int
    """Of the paths alone, so that two runs see the same data whatever their paths."""
    order: tuple[str, ...] = ()
    """Kinds of axes that open one after the other: progressive shrinking."""
    until: float = 0.5
    """Share of the training at which all are open."""

    def paths(self, step: int, progress: float) -> tuple[Architecture, ...]:
        rng = random.Random(derive(self.seed, "paths", step))
        space = opened(self.space, progress, self.order, self.until)
        return self.policy.paths(space, rng, step)


class Pupils(nn.Module):
    """All that the training of a supernet moves; only `supernet` is kept."""

    def __init__(
        self,
        supernet: nn.Module,
        parts: Sequence[nn.Module],
        online: OnlineTeacher | None,
        policy: Policy,
    ) -> None:
        super().__init__()
        self.supernet = supernet
        self.parts = nn.ModuleList(parts)
        self.online = online
        self.policy = policy


class SupernetTask:
    """See `Task`."""

    def __init__(
        self,
        supernet: nn.Module,
        teacher: nn.Module | None,
        sampling: Sampling,
        teaching: Teaching,
        sample: Sample,
        *,
        precision: str,
    ) -> None:
        """Raises UserError for a method or policy that cannot teach these students."""
        net = Largest(supernet, sampling.space)
        seed = derive(sampling.seed, "parts")
        learners = largest_learners(net, teacher, teaching, sample, seed)
        self.imitations = imitations(net, teacher, teaching, learners, sample)
        own = [i.parts for i in self.imitations if i.parts is not learners.parts]
        self.learners = learners
        self.pupils = Pupils(
            supernet, [learners.parts, *own], learners.online, sampling.policy
        ).to(sample.images.device)
        self.supernet = supernet
        needs = teaching.method.needs
        asked = [needs.teacher and not needs.online]
        asked += [imitation.target == "teacher" for imitation in self.imitations]
        self.teacher = teacher if any(asked) else None
        if not sampling.policy.largest_first and needs.parts is not None:
            raise UserError(
                f"{teaching.method.name} has modules of the largest student's size, which "
                "this supernet.policy need not see; use sandwich"
            )
        self.sampling = sampling
        self.teaching = teaching
        self.classes = sample.classes
        self.precision = precision

    @property
    def module(self) -> nn.Module:
        return self.pupils

    @property
    def players(self) -> Sequence[Sequence[nn.Module]]:
        ours = (self.supernet, self.pupils.parts)
        online = self.pupils.online
        return [ours] if online is None else [ours, (online,)]

    @property
    def shows(self) -> Shows:
        online = self.teaching.method.needs.online
        return Shows((), 0 if online is None else online.lead - 1)

    def losses(self, batch: Batch) -> Iterator[Loss]:
        loss = self.loss(batch)
        yield loss
        yield from led(self.pupils.online, batch, loss.cross_entropy, self.precision)

    def loss(self, batch: Batch) -> Loss:
        """All students of the step: one sum, so one backward."""
        paths = self.sampling.paths(batch.step, batch.progress)
        with autocast(batch.images.device, self.precision):
            outs = [single(self.supernet(batch.images, path)) for path in paths]
            taught = None if self.teacher is None else frozen(self.teacher, batch.images)
        self.listen(paths, outs)
        online, guide = said(self.pupils.online, batch, self.precision)
        usual = Seen(
            outs[0],
            taught,
            batch.labels,
            self.learners.parts,
            batch.progress,
            batch.opens_epoch,
            batch.indices,
            online=online,
            guide=guide,
        )
        losses = [self.teaching.method(usual), *(self.other(out, usual) for out in outs[1:])]
        total = torch.stack(losses).sum()
        if self.teaching.reduction == "mean":
            total = total / len(losses)
        return Loss(total, F.cross_entropy(there(outs[0].logits).detach(), batch.labels))

    def other(self, out: Output, usual: Seen) -> Tensor:
        """The loss of a student after the first."""
        if not self.sampling.policy.largest_first:
            return self.teaching.method(usual._replace(student=out))
        return torch.stack([i.loss(out, usual) for i in self.imitations]).mean()

    def listen(self, paths: Sequence[Architecture], outs: Sequence[Output]) -> None:
        """Lets the policy note, in the backward pass, what each path's logits receive."""
        note = self.sampling.policy.note
        if note is None:
            return
        for path, out in zip(paths, outs, strict=True):
            logits = there(out.logits)
            if logits.requires_grad:
                logits.register_hook(partial(note, path))  # type: ignore[no-untyped-call]
