"""A teacher that learns beside the student: what it says of a batch, and its steps ahead."""

from collections.abc import Iterator

from torch import Tensor

from kdsearch.distill.method import Said
from kdsearch.output import detached, single
from kdsearch.training.learners import OnlineTeacher
from kdsearch.training.precision import autocast
from kdsearch.training.task import Batch, Loss


def said(
    teacher: OnlineTeacher | None, batch: Batch, precision: str
) -> tuple[Said | None, Said | None]:
    """What it says, with a graph, and what students imitate of it."""
    if teacher is None:
        return None, None
    teacher.follow()
    with autocast(batch.images.device, precision):
        own = single(teacher(batch.images, batch.progress))
        followed = teacher.averaged(batch.images)
    if followed is None or teacher.average is None:
        return Said(own, teacher.parts), Said(detached(own), teacher.parts)
    return Said(own, teacher.parts), Said(single(followed), teacher.average[1])


def led(
    teacher: OnlineTeacher | None, batch: Batch, told: Tensor, precision: str
) -> Iterator[Loss]:
    """The steps it takes ahead of the students, on batches of its own."""
    for images, labels in () if teacher is None else batch.ahead:
        assert teacher is not None
        with autocast(images.device, precision):
            out = single(teacher(images, batch.progress))
        loss = teacher.rule.loss(Said(out, teacher.parts), labels)
        if loss.requires_grad:  # a frozen network's modules may have nothing to learn
            yield Loss(loss, told)
