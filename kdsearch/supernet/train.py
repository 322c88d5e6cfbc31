"""The task of a supernet: the sandwich rule, one teacher forward and one backward a step.

The largest student learns from labels and the teacher; the smallest and a few random ones from
the largest (in-place distillation, Yu & Huang, 2019, arXiv:1903.05134, sec. 3.2: its detached
logits, temperature 1, no labels) or from the teacher. Losses are summed.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.paths import sandwich
from kdsearch.core.seeds import derive
from kdsearch.core.space import Space
from kdsearch.losses.softened import softened_kl
from kdsearch.output import Output, single
from kdsearch.training.distillation import frozen
from kdsearch.training.precision import autocast
from kdsearch.training.task import Batch, Loss, Shows

TEMPERATURE = 4.0
TEACHER_WEIGHT = 0.5
"""Of the teacher in the largest student's loss; the rest is for the labels."""


@dataclass(frozen=True, slots=True)
class Sandwich:
    """How the paths of a step are chosen and what they aim at."""

    space: Space
    randoms: int
    targets: str
    """'largest' or 'teacher': whom all but the largest student imitate."""
    seed: int
    """Of the paths alone, so that two runs see the same data whatever their paths."""


class SupernetTask:
    """See `Task`."""

    def __init__(
        self,
        supernet: nn.Module,
        teacher: nn.Module | None,
        rule: Sandwich,
        *,
        classes: int,
        precision: str,
    ) -> None:
        self.supernet = supernet
        self.teacher = teacher
        self.rule = rule
        self.classes = classes
        self.precision = precision

    @property
    def module(self) -> nn.Module:
        return self.supernet

    @property
    def players(self) -> Sequence[Sequence[nn.Module]]:
        return [(self.supernet,)]

    @property
    def shows(self) -> Shows:
        return Shows()

    def losses(self, batch: Batch) -> Iterator[Loss]:
        yield self.loss(batch.images, batch.labels, batch.step)

    def loss(self, images: Tensor, labels: Tensor, step: int) -> Loss:
        rng = random.Random(derive(self.rule.seed, "paths", step))
        paths = sandwich(self.rule.space, rng, self.rule.randoms)
        with autocast(images.device, self.precision):
            outs = [single(self.supernet(images, path)) for path in paths]
            taught = None if self.teacher is None else frozen(self.teacher, images)
        largest = _logits(outs[0])
        cross_entropy = F.cross_entropy(largest, labels)
        teacher = None if taught is None else _logits(taught)
        total = (
            cross_entropy
            if teacher is None
            else (
                (1 - TEACHER_WEIGHT) * cross_entropy
                + TEACHER_WEIGHT * softened_kl(largest, teacher, TEMPERATURE)
            )
        )
        use_teacher = self.rule.targets == "teacher" and teacher is not None
        for out in outs[1:]:
            if use_teacher and teacher is not None:
                total = total + softened_kl(_logits(out), teacher, TEMPERATURE)
            else:
                total = total + softened_kl(_logits(out), largest.detach(), 1.0)
        return Loss(total, cross_entropy.detach())


def _logits(out: Output) -> Tensor:
    assert out.logits is not None
    return out.logits
