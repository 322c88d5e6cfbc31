"""The two regularisers of SoTeacher (Dong, Liu & Shang, 2022, arXiv:2206.06661), as the
authors' repository shwinshaker/SoTeacher weighs and schedules them. They know no student.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.errors import UserError
from kdsearch.losses.consistency import consistency
from kdsearch.losses.lipschitz import lipschitz
from kdsearch.teachers.task import Heard
from kdsearch.training.parallel import gathered
from kdsearch.training.task import Batch


class Weights(NamedTuple):
    lipschitz: float
    consistency: float
    """At the end of training; it rises linearly from 0."""

    @property
    def any(self) -> bool:
        return self.lipschitz > 0 or self.consistency > 0


SOTEACHER = Weights(1e-5, 1.0)
"""The authors'."""


class Regularisers(nn.Module):
    """See `Term`. The consistency term costs (training images · classes) float32 numbers."""

    def __init__(self, weights: Weights, train_images: int, classes: int) -> None:
        super().__init__()
        self.weights = weights
        self.memory = Memory(train_images, classes) if weights.consistency > 0 else None

    def forward(self, heard: Heard) -> Tensor:
        total = heard.logits.new_zeros(())
        if self.weights.lipschitz > 0:
            total = total + self.weights.lipschitz * lipschitz(heard.network)
        if self.memory is not None:
            weight = self.weights.consistency * heard.batch.progress
            said = F.softmax(heard.logits, dim=1)
            total = total + weight * self.memory(said, positions(heard.batch))
        return total


class Memory(nn.Module):
    """Each training image's mean of the probabilities said of it so far, by all processes.

    In the authors' code the mean's rate is 1 / (1 + epoch), of the first epoch 1; counting
    per image is the same where an epoch shows every image, and right where it drops some.
    """

    mean: Tensor
    shown: Tensor

    def __init__(self, images: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(images, classes))
        self.register_buffer("shown", torch.zeros(images, dtype=torch.int64))

    def forward(self, said: Tensor, at: Tensor) -> Tensor:
        """The distance to what was said before; then takes in what is said now."""
        distance = consistency(said, self.mean[at], self.shown[at] > 0)
        self.take_in(gathered(said.detach()), gathered(at))
        return distance

    @torch.no_grad()
    def take_in(self, said: Tensor, at: Tensor) -> None:
        times = self.shown[at]
        rate = 1 / (1 + times.to(said.dtype))
        self.mean[at] = torch.lerp(self.mean[at], said, rate.unsqueeze(1))
        self.shown[at] = times + 1


def positions(batch: Batch) -> Tensor:
    if batch.indices is None:
        raise UserError(
            "the consistency term has to know which image is which, and these data do not "
            "say; set teacher.consistency: 0"
        )
    return batch.indices
