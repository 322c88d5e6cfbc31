"""Stratified draws: every class gives its share, and at least one image."""

from collections.abc import Sequence

import torch
from torch import Tensor

from kdsearch.errors import DataError


def quotas(counts: Sequence[int], total: int, spare: int) -> list[int]:
    """How many images each class gives so that they sum to `total` (largest remainders).

    A class gives at least one and leaves at least `spare`, which may move the sum.
    """
    exact = [count * total / sum(counts) for count in counts]
    most = [max(0, count - spare) for count in counts]
    quota = [min(max(1, int(x)), top) for x, top in zip(exact, most, strict=True)]
    for label in sorted(range(len(counts)), key=lambda c: quota[c] - exact[c]):
        if sum(quota) < total and quota[label] < most[label]:
            quota[label] += 1
    return quota


def draw(labels: Tensor, count: int, seed: int, *, spare: int = 0) -> tuple[Tensor, Tensor]:
    """Positions of about `count` images, stratified, and of all others; in random order."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    counts = torch.bincount(labels).tolist()
    by_class = torch.split(order[torch.argsort(labels[order], stable=True)], counts)
    drawn = torch.zeros(len(labels), dtype=torch.bool)
    for members, quota in zip(by_class, quotas(counts, count, spare), strict=True):
        drawn[members[:quota]] = True
    return order[drawn[order]], order[~drawn[order]]


def check_classes(labels: Tensor, classes: Sequence[str], parts: Sequence[str]) -> None:
    """Raises DataError unless every class has an image for each of the parts to be made."""
    counts = torch.bincount(labels, minlength=len(classes)).tolist()
    if len(classes) < 2:
        raise DataError(
            f"{len(classes)} class: {list(classes)}; a classifier needs at least two"
        )
    for name, count in zip(classes, counts, strict=True):
        if count < len(parts):
            raise DataError(
                f"class '{name}' has too few images: {count}; each class needs at least "
                f"{len(parts)} ({', '.join(parts)}): add images or drop the class"
            )
