"""The task of one student: a method's loss against labels and whoever teaches it.

A teacher trained on labels is the same task with the method `hard` and no teacher of its own.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.distill.method import Method, Seen
from kdsearch.output import Output, single
from kdsearch.training.learners import Learners, gather
from kdsearch.training.online import led, said
from kdsearch.training.precision import autocast
from kdsearch.training.served import is_served
from kdsearch.training.task import Batch, Loss, Sample, Shows


class Lesson(NamedTuple):
    """Who teaches what to whom."""

    student: nn.Module
    """Gives an Output."""
    method: Method
    teacher: nn.Module | None
    """Frozen, in eval mode, gives an Output; None where the method needs none, or where what
    it would say is stored (`Sample.taught`)."""


class Distillation:
    """See `Task`."""

    def __init__(self, lesson: Lesson, sample: Sample, *, precision: str, seed: int) -> None:
        student, method, teacher = lesson
        self.method = method
        self.teacher = teacher if method.needs.teacher and not method.needs.online else None
        self.learners = gather(student, method.needs, teacher, sample, seed)
        self.classes = sample.classes
        self.precision = precision

    @property
    def module(self) -> Learners:
        return self.learners

    @property
    def players(self) -> Sequence[Sequence[nn.Module]]:
        ours = (self.learners.student, self.learners.parts)
        online = self.learners.online
        return [ours] if online is None else [ours, (online,)]

    @property
    def shows(self) -> Shows:
        needs = self.method.needs
        ahead = 0 if needs.online is None else needs.online.lead - 1
        return Shows(needs.views, ahead, is_served(needs))

    def losses(self, batch: Batch) -> Iterator[Loss]:
        seen = self.seen(batch)
        cross_entropy = F.cross_entropy(seen.logits[: len(batch.labels)].detach(), batch.labels)
        yield Loss(self.method(seen), cross_entropy)
        yield from led(self.learners.online, batch, cross_entropy, self.precision)

    def seen(self, batch: Batch) -> Seen:
        """One forward of everybody on the batch."""
        with self._autocast(batch.images):
            student = single(self.learners.student(batch.images))
            teacher = batch.taught
            if teacher is None and self.teacher is not None:
                teacher = frozen(self.teacher, batch.images)
        online, guide = said(self.learners.online, batch, self.precision)
        return Seen(
            student,
            teacher,
            batch.labels,
            self.learners.parts,
            batch.progress,
            batch.opens_epoch,
            batch.indices,
            online=online,
            guide=guide,
        )

    def shipped(self, average: Mapping[str, Tensor]) -> nn.Module:
        """What ships: the student (or what its method makes of it) with averaged weights."""
        twin = copy.deepcopy(self.learners)
        twin.load_state_dict(dict(average), strict=False)
        deploy = self.method.needs.deploy
        return (
            twin.student if deploy is None else deploy(twin.student, twin.parts, self.teacher)
        )

    def _autocast(self, images: Tensor) -> AbstractContextManager[object]:
        return autocast(images.device, self.precision)


@torch.no_grad()
def frozen(teacher: nn.Module, images: Tensor) -> Output:
    """What a frozen teacher says, in float32, without a graph."""
    return single(teacher(images))
