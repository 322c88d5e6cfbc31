"""How the students of a supernet are taught: by which methods, and whom they imitate."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kdsearch.core.paths import largest
from kdsearch.core.space import Space
from kdsearch.distill.method import Method, Needs, Seen
from kdsearch.errors import UserError
from kdsearch.output import Output, detached
from kdsearch.training.learners import Learners, gather
from kdsearch.training.task import Sample

TARGETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"largest": ("largest",), "teacher": ("teacher",), "both": ("teacher", "largest")}
)
"""Whom all but the largest student imitate."""


class Teaching(NamedTuple):
    method: Method
    """Of the largest student, which has the teacher and the labels."""
    others: Method | None
    """Of all others; None: the same method."""
    targets: tuple[str, ...] = ("largest",)
    """A value of TARGETS; the losses of several are averaged."""
    reduction: str = "sum"
    """'sum' or 'mean' of the students' losses: two trainings at one learning rate."""


class Largest(nn.Module):
    """A supernet as its largest student alone: what a method sizes its modules by."""

    def __init__(self, supernet: nn.Module, space: Space) -> None:
        super().__init__()
        self.supernet = supernet
        self.path = largest(space)

    def forward(self, images: Tensor) -> Output:
        out: Output = self.supernet(images, self.path)
        return out


class Imitation(NamedTuple):
    """What a student that is not the largest learns from one target."""

    method: Method
    parts: nn.Module
    target: str | None
    """'teacher' or 'largest'; None where the method imitates no frozen network."""

    def loss(self, out: Output, usual: Seen) -> Tensor:
        """Of one student; `usual` is what the largest was shown."""
        ahead = detached(usual.student)
        teacher = {"teacher": usual.teacher, "largest": ahead, None: None}[self.target]
        seen = usual._replace(
            student=out, teacher=teacher, parts=self.parts, largest=ahead, online=None
        )
        return self.method(seen)


def largest_learners(
    net: Largest, teacher: nn.Module | None, teaching: Teaching, sample: Sample, seed: int
) -> Learners:
    """The largest student with what its method's needs build."""
    needs = teaching.method.needs
    check(needs)
    if needs.teacher and teacher is None:
        raise UserError(f"supernet.method: {teaching.method.name} needs a teacher; use hard")
    return gather(net, needs, teacher, sample, seed)


def imitations(
    net: Largest,
    teacher: nn.Module | None,
    teaching: Teaching,
    learners: Learners,
    sample: Sample,
) -> list[Imitation]:
    """What all other students learn: one loss for each target."""
    method, needs = (
        teaching.others or teaching.method,
        (teaching.others or teaching.method).needs,
    )
    if teaching.others is None and not needs.teacher:
        return [Imitation(method, learners.parts, None)]
    check(needs)
    if needs.online is not None:
        raise UserError(
            f"supernet.others: {method.name} brings up a teacher of its own; "
            "name it as supernet.method, with others: same"
        )
    found = []
    for number, target in enumerate(teaching.targets if needs.teacher else (None,)):
        guide = net if target == "largest" else teacher
        with torch.random.fork_rng(devices=[]):
            parts = gather(net, needs, guide, sample, number + 1).parts
        found.append(Imitation(method, parts, target))
    return found


def check(needs: Needs) -> None:
    """Raises UserError for what cannot be had where many students learn at once."""
    wrong = {
        "views of its own of each image": bool(needs.views),
        "an auxiliary network of the student's size": needs.auxiliary is not None,
        "more than the student to ship": needs.deploy is not None,
    }
    for words, is_asked in wrong.items():
        if is_asked:
            raise UserError(f"a method for a supernet cannot ask for {words}; take another")
