"""Batches of the user's own DataLoader: shown as it gives them, augmented as it says."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from kdsearch.core.seeds import derive
from kdsearch.distill.method import View
from kdsearch.errors import UserError
from kdsearch.training.feed import TURNS, laid_out
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch, Sample, Shows


@dataclass(frozen=True, slots=True)
class LoaderFeed:
    """See `Source`. A run that goes on reads once more what it has seen, so that it is the same
    run wherever images and order are drawn from torch's generators in this process."""

    loader: DataLoader[Any]
    """Gives (images, labels): float (batch, channels, height, width) as networks want them,
    int64 (batch,)."""
    device: str
    classes: int
    """That the student tells apart."""

    def sample(self, batch_size: int) -> Sample:
        images, _ = self.checked(first_batch(self.loader))
        total = len(self.loader) * batch_size
        return Sample(images[:2], self.classes, total, batch_size)

    def batches(self, plan: Plan, shows: Shows, start: int, until: int) -> Iterator[Batch]:
        for view in shows.views:
            if view not in TURNS:
                raise UserError(
                    f"the method wants images of the {view!r} kind beside each batch, which a "
                    "DataLoader cannot be asked for; `kdsearch distill` reads data itself"
                )
        own, further = self.endless(), self.endless()
        for step in range(until):
            torch.manual_seed(derive(plan.seed, "load", step))
            images, labels = next(own)
            ahead = tuple(next(further) for _ in range(shows.ahead))
            if step < start:
                continue
            torch.manual_seed(derive(plan.seed, "noise", step))
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
            UserError: the loader gives something else, or labels of no class.
        """
        images, labels = images_and_labels(batch)
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= self.classes:
            raise UserError(
                f"the loader's labels run from {low} to {high}, but the student tells "
                f"{self.classes} classes apart, 0 to {self.classes - 1}"
            )
        return images.to(self.device), labels.to(self.device)


def images_and_labels(batch: Any) -> tuple[Tensor, Tensor]:
    """What a loader gave, if it is that; raises UserError if it is not."""
    match batch:
        case [Tensor() as images, Tensor() as labels] if fitting(images, labels):
            return images, labels
    raise UserError(
        "the loader has to give (images, labels): floats of (batch, channels, height, width) "
        f"and int64 of (batch,); it gives {outline(batch)}"
    )


def fitting(images: Tensor, labels: Tensor) -> bool:
    """Whether these are images in floats and whole labels, one for each."""
    return (
        images.ndim == 4
        and images.is_floating_point()
        and labels.dtype == torch.int64
        and labels.shape == images.shape[:1]
        and len(labels) > 0
    )


def first_batch(loader: DataLoader[Any]) -> Any:
    """Raises UserError for a loader of unknown length, or without batches."""
    try:
        length = len(loader)
    except TypeError as error:
        raise UserError(
            "the loader has no length, so an epoch has no end; give it a data set that has one"
        ) from error
    if not length:
        raise UserError("the loader gives no batch; is drop_last on, or the data set empty?")
    return next(iter(loader))


def turned(images: Tensor, view: View) -> Tensor:
    return torch.rot90(images, TURNS[view], (2, 3))


def outline(batch: Any) -> str:
    parts = batch if isinstance(batch, list | tuple) else [batch]
    return ", ".join(
        f"{str(p.dtype).removeprefix('torch.')} {tuple(p.shape)}"
        if isinstance(p, Tensor)
        else type(p).__name__
        for p in parts
    )
