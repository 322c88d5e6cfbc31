"""Batches of the user's own DataLoader: shown as it gives them, augmented as it says."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from kdsearch.distill.method import View
from kdsearch.errors import UserError
from kdsearch.training.feed import TURNS, laid_out
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch, Sample, Shows


@dataclass(frozen=True, slots=True)
class LoaderFeed:
    """See `Source`. A run that goes on is the same run only if the loader is seeded."""

    loader: DataLoader[Any]
    """Gives (images, labels): float (batch, channels, height, width) as networks want them,
    int64 (batch,)."""
    device: str
    classes: int

    def sample(self, batch_size: int) -> Sample:
        images, _ = self.checked(next(iter(self.loader)))
        total = len(self.loader) * batch_size
        return Sample(images[:2], self.classes, total, batch_size)

    def batches(self, plan: Plan, shows: Shows, start: int, until: int) -> Iterator[Batch]:
        for view in shows.views:
            if view not in TURNS:
                raise UserError(
                    f"the method wants images of the {view!r} kind beside each batch, which a "
                    "DataLoader cannot be asked for; `kdsearch distill` reads data itself"
                )
        own = islice(self.endless(), start % len(self.loader), None)
        further = self.endless()
        for step in range(start, until):
            images, labels = next(own)
            ahead = tuple(next(further) for _ in range(shows.ahead))
            yield Batch(
                laid_out(torch.cat([images, *(turned(images, v) for v in shows.views)])),
                labels,
                step,
                step / plan.steps,
                step % len(self.loader) == 0,
                None,
                ahead,
            )

    def endless(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            for batch in self.loader:
                yield self.checked(batch)

    def checked(self, batch: Any) -> tuple[Tensor, Tensor]:
        """Images and labels on the device.

        Raises:
            UserError: the loader gives something else.
        """
        match batch:
            case [Tensor() as images, Tensor() as labels] if images.ndim == 4:
                return images.to(self.device), labels.to(self.device)
        raise UserError(
            "the loader has to give (images, labels): tensors of (batch, channels, height, "
            f"width) and (batch,); it gives {outline(batch)}"
        )


def turned(images: Tensor, view: View) -> Tensor:
    return torch.rot90(images, TURNS[view], (2, 3))


def outline(batch: Any) -> str:
    parts = batch if isinstance(batch, list | tuple) else [batch]
    shapes = [str(tuple(p.shape)) if isinstance(p, Tensor) else type(p).__name__ for p in parts]
    return ", ".join(shapes)
