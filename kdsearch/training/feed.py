"""Where a training run's batches come from: images in memory, shown as a plan says.

What a step sees is a function of the plan and the step alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor

from kdsearch.core.seeds import derive
from kdsearch.data.augment import Augment, normalise
from kdsearch.data.batches import Batches
from kdsearch.data.partners import partners
from kdsearch.data.records import DataInfo, Split
from kdsearch.data.variations import variation
from kdsearch.distill.method import View
from kdsearch.output import Output, each
from kdsearch.ranks import rank, world
from kdsearch.training.parallel import own_share
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch, Sample, Shows


class Source(Protocol):
    """Where the loop takes its batches from."""

    def batches(self, plan: Plan, shows: Shows, start: int, until: int) -> Iterator[Batch]:
        """The batch of each step from `start` up to `until`."""

    def sample(self, batch_size: int) -> Sample:
        """Two images and the set's numbers."""


@dataclass(frozen=True, slots=True)
class Feed:
    """The training images, on the device that trains, and how they are shown.

    Processes that train together draw and vary the same images, and each takes its share, so
    that all of them see what one would see alone. Only their noise (dropout) is their own.
    """

    split: Split
    info: DataInfo
    told: Callable[[int], Output] | None = None
    """What a teacher says of the whole set in each of its variations (training/bank.py)."""

    def batches(self, plan: Plan, shows: Shows, start: int, until: int) -> Iterator[Batch]:
        """See `Source`."""
        order = Batches(self.split, plan.batch_size, plan.seed)
        further = [
            Batches(self.split, plan.batch_size, derive(plan.seed, "ahead", n))
            for n in range(shows.ahead)
        ]
        augment = Augment(plan.augment, self.info.size, plan.augment_strength)
        for step in range(start, until):
            chosen = order.at(step)
            version = step // order.steps_per_epoch % max(1, plan.bank)
            shown = [self.first(chosen, augment, plan, step, version)]
            for view in shows.views:
                seed = derive(plan.seed, "view", view, step)
                images = self.shown(self.related(view, chosen, seed), augment, seed)
                shown.append(torch.rot90(images, TURNS.get(view, 0), (2, 3)))
            ahead = [
                (self.shown(at, augment, derive(plan.seed, "ahead", n, step)), self.labels(at))
                for n, at in enumerate(each.at(step) for each in further)
            ]
            own = own_share(len(chosen))
            shown = [images[own] for images in shown]
            torch.manual_seed(noise_seed(plan, step))
            yield Batch(
                laid_out(shown[0] if len(shown) == 1 else torch.cat(shown)),
                self.labels(chosen[own]),
                step,
                step / plan.steps,
                step % order.steps_per_epoch == 0,
                chosen[own].to(self.split.labels.device),
                tuple((laid_out(images[own]), labels[own]) for images, labels in ahead),
                self.said(chosen[own], version) if shows.told and plan.bank else None,
            )

    def first(
        self, positions: Tensor, augment: Augment, plan: Plan, step: int, version: int
    ) -> Tensor:
        """The images themselves: varied anew, or in one of their fixed variations."""
        if not plan.bank:
            return self.shown(positions, augment, derive(plan.seed, "augment", step))
        whole = varied(self.split.images, augment, version)
        images = whole[positions.to(whole.device)]
        return normalise(images, self.info.mean, self.info.std)

    def said(self, positions: Tensor, version: int) -> Output | None:
        """What the teacher says of them in this variation, if that was stored."""
        if self.told is None:
            return None
        whole = self.told(version)
        return each(whole, lambda rows: rows[positions.to(rows.device)])

    def sample(self, batch_size: int) -> Sample:
        """See `Source`."""
        images = normalise(self.split.images[:2], self.info.mean, self.info.std)
        taught = None if self.told is None else each(self.told(0), lambda rows: rows[:2])
        return Sample(images, len(self.info.classes), len(self.split), batch_size, taught)

    def related(self, view: View, chosen: Tensor, seed: int) -> Tensor:
        """Positions of the images that a view shows beside those chosen."""
        return partners(self.split.labels, chosen, seed) if view == "same class" else chosen

    def shown(self, positions: Tensor, augment: Callable[..., Tensor], seed: int) -> Tensor:
        images = self.split.images[positions.to(self.split.images.device)]
        return normalise(augment(images, seed), self.info.mean, self.info.std)

    def labels(self, positions: Tensor) -> Tensor:
        return self.split.labels[positions.to(self.split.labels.device)]


@lru_cache(maxsize=2)
def varied(images: Tensor, augment: Augment, version: int) -> Tensor:
    """The whole set in a variation; kept for the epoch, as a tensor is told by identity."""
    return variation(images, augment, version)


TURNS: Mapping[View, int] = MappingProxyType({"90": 1, "180": 2, "270": 3})
"""Quarter turns of a view."""


def noise_seed(plan: Plan, step: int) -> int:
    """Of torch's own generator: processes that train together drop different features."""
    own = (rank(),) if world() > 1 else ()
    return derive(plan.seed, "noise", step, *own)


def laid_out(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)
