"""The records of a data set: how it is asked for, what a source offers, what training gets."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from kdsearch.core.progress import Progress


@dataclass(frozen=True, slots=True)
class Options:
    """How a source is read and split."""

    root: str | None = None
    """Folder that holds the set, or where it is downloaded to."""
    download: bool = False
    size: int | None = None
    """Images become size x size pixels; None: the source's own size, 32 for pictures."""
    limit: int | None = None
    """At most this many training images; search-val shrinks in proportion, test does not."""
    test_fraction: float = 0.2
    """Share of the images held apart as test, where the source brings no test part."""
    val_fraction: float = 0.2
    """Share of the images that search scores on, where the source brings no such part."""
    calibration: int = 256
    """How many training images calibrate batch statistics; at least one of each class."""
    broken: Literal["stop", "skip"] = "stop"
    """What a broken image does: it stops the run, or is left out and counted."""


class Read(NamedTuple):
    """What reading some images of a part gave."""

    images: Tensor
    """uint8 (read, channels, size, size)."""
    kept: Tensor
    """int64 (read,): positions, within what was asked for, of the images that could be read."""
    broken: tuple[str, ...] = ()
    """Names of those that could not."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Labelled images of a source, decoded only when it is known which ones are wanted."""

    labels: Tensor
    """int64 (n,), in [0, classes)."""
    read: Callable[[Tensor], Read]
    """Decodes the images at some int64 positions."""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """What a source offers: `train` is split wherever the source brings no part of its own."""

    classes: tuple[str, ...]
    channels: int
    size: int
    train: Part
    search_val: Part | None = None
    test: Part | None = None
    skipped: tuple[str, ...] = ()
    """Broken images that were noticed before any was decoded."""


class Dataset(Protocol):
    """One way to get at images: an entry of DATASETS."""

    name: ClassVar[str]
    usage: ClassVar[str]
    """How a config names it: 'folder:PATH'."""

    def load(self, argument: str, options: Options, progress: Progress) -> Raw:
        """The source behind `name:argument`; raises DataError, in one line."""

    def describe(self, argument: str, options: Options) -> dict[str, Any]:
        """A cheap JSON-able key of the source, equal for equal images; no absolute paths."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Images that live in memory."""

    images: Tensor
    """uint8 (n, channels, size, size)."""
    labels: Tensor
    """int64 (n,)."""

    def __len__(self) -> int:
        return len(self.labels)

    def pick(self, indices: Tensor) -> "Split":
        """The images at some int64 positions."""
        return Split(self.images[indices], self.labels[indices])

    def to(self, device: str | torch.device) -> "Split":
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True, slots=True)
class DataInfo:
    """What is known about prepared data without opening it."""

    name: str
    classes: tuple[str, ...]
    channels: int
    size: int
    mean: tuple[float, ...]
    """Per channel over the training images, pixels in [0, 1]."""
    std: tuple[float, ...]
    counts: dict[str, int]
    """Images in train, calibration (which lies inside train), search_val and test."""
    skipped: tuple[str, ...]
    """Broken images that were left out."""
    fingerprint: str
    """Names the contents of all splits, their order and the classes."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "DataInfo":
        tuples = {name: tuple(content[name]) for name in ("classes", "mean", "std", "skipped")}
        return cls(**{**content, **tuples})


@dataclass(frozen=True, slots=True, eq=False)
class SearchData:
    """All that training and search may see; the test split is not in reach from here."""

    train: Split
    calibration: Split
    """Images of `train` on which batch statistics are calibrated and exports are compared."""
    search_val: Split
    info: DataInfo
