"""Which images a training step sees: a pure function of seed and step."""

from collections.abc import Sized
from functools import lru_cache

import torch
from torch import Tensor

from kdsearch.core.seeds import derive


@lru_cache(maxsize=4)
def permutation(count: int, seed: int, epoch: int) -> Tensor:
    """int64 (count,): the order of an epoch; shared, so not to be written to."""
    generator = torch.Generator().manual_seed(derive(seed, "epoch", epoch))
    return torch.randperm(count, generator=generator)


class Batches:
    """Batches of a split: each epoch visits every image at most once, in its own order.

    An epoch's last, ragged batch is left out, unless the split is smaller than one batch.
    """

    def __init__(self, split: Sized, batch_size: int, seed: int) -> None:
        self._count = len(split)
        self._batch_size = min(batch_size, self._count)
        self._seed = seed

    @property
    def steps_per_epoch(self) -> int:
        return self._count // self._batch_size

    def at(self, step: int) -> Tensor:
        """int64 (batch,): positions in the split of the images of a step, counted from 0."""
        epoch, batch = divmod(step, self.steps_per_epoch)
        order = permutation(self._count, self._seed, epoch)
        return order[batch * self._batch_size :][: self._batch_size].clone()
