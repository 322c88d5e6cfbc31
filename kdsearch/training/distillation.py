"""The task of one student: a method's loss against labels and, where it asks, a teacher.

A teacher trained on labels is the same task with the method `hard` and no teacher of its own.
"""

from contextlib import AbstractContextManager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.distill.method import Method
from kdsearch.output import Output
from kdsearch.training.precision import autocast
from kdsearch.training.task import Loss


class Lesson(NamedTuple):
    """Who teaches what to whom."""

    student: nn.Module
    """Gives an Output."""
    method: Method
    teacher: nn.Module | None
    """Frozen, in eval mode, gives an Output; None where the method needs none."""


class Distillation:
    """See `Task`."""

    def __init__(self, lesson: Lesson, classes: int, precision: str) -> None:
        self.lesson = lesson
        self.classes = classes
        self.precision = precision

    @property
    def module(self) -> nn.Module:
        return self.lesson.student

    def loss(self, images: Tensor, labels: Tensor, step: int) -> Loss:
        student, method, teacher = self.lesson
        with self._autocast(images):
            out = single(student(images))
            taught = None if teacher is None else frozen(teacher, images)
        assert out.logits is not None
        cross_entropy = F.cross_entropy(out.logits.detach(), labels)
        return Loss(method(out, taught, labels), cross_entropy)

    def _autocast(self, images: Tensor) -> AbstractContextManager[object]:
        return autocast(images.device, self.precision)


def single(out: Output) -> Output:
    """The output in float32, for losses outside autocast."""
    return Output(
        None if out.logits is None else out.logits.float(),
        tuple(f.float() for f in out.feats),
        None if out.pooled is None else out.pooled.float(),
    )


@torch.no_grad()
def frozen(teacher: nn.Module, images: Tensor) -> Output:
    """What a frozen teacher says, in float32, without a graph."""
    return single(teacher(images))
