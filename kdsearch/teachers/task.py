"""The task of a teacher that learns from labels and from further terms on the same forward."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.output import Output
from kdsearch.training.precision import autocast
from kdsearch.training.task import Batch, Loss, Shows


class Heard(NamedTuple):
    """What a term sees of the teacher in a step."""

    network: nn.Module
    out: Output
    """As the network gave it, in the precision of the forward pass."""
    logits: Tensor
    """float32 (batch, classes)."""
    batch: Batch


class Term(Protocol):
    """Added to the teacher's cross-entropy. A module: what a resumed run needs is in it."""

    def __call__(self, heard: Heard) -> Tensor:
        """A scalar, weighted; leaves the teacher's graph alone where it has no part in it."""


class TeacherTask:
    """See `Task`. The teacher's forward comes first, so that its noise is that of `plain`;
    terms are clipped apart from it.
    """

    def __init__(
        self, network: nn.Module, terms: Sequence[nn.Module], *, classes: int, precision: str
    ) -> None:
        self.network = network
        self.terms = nn.ModuleList(terms)
        self.learners = nn.ModuleDict({"teacher": network, "terms": self.terms})
        self.classes = classes
        self.precision = precision

    @property
    def module(self) -> nn.Module:
        return self.learners

    @property
    def players(self) -> Sequence[Sequence[nn.Module]]:
        return [(self.network,), *((term,) for term in self.terms)]

    @property
    def shows(self) -> Shows:
        return Shows()

    def losses(self, batch: Batch) -> Iterator[Loss]:
        with autocast(batch.images.device, self.precision):
            out: Output = self.network(batch.images)
        assert out.logits is not None
        logits = out.logits.float()
        cross_entropy = total = F.cross_entropy(logits, batch.labels)
        heard = Heard(self.network, out, logits, batch)
        for term in self.terms:
            total = total + term(heard)
        yield Loss(total, cross_entropy.detach())
