"""Torchvision-style data sets, anything with len() and [i] -> (image, label), as sources."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image
from torch import Tensor

from kdsearch.data.arrays import fit, images_of, labels_of, tensor_of
from kdsearch.data.pictures import GREY_MODES, pixels
from kdsearch.data.reading import Broken, attempts, read_images
from kdsearch.data.records import Options, Part, Raw, Read
from kdsearch.errors import DataError

LABELS = ("targets", "labels", "_labels", "y")
"""Where torchvision's sets keep all labels; believed only if they agree with the items."""
PROBES = 64
"""Items looked at to tell grey from colour, and their size."""
PICTURE_SIZE = 32
"""Pixels a side where no size is asked for and the pictures have none in common."""
LARGEST_NATIVE = 64
"""Pixels a side up to which the size that all pictures share is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A data set with the labels of its readable items."""

    dataset: Any
    positions: Sequence[int]
    labels: Sequence[int]
    skipped: tuple[str, ...] = ()


def item(dataset: Any, index: int) -> tuple[Any, int]:
    """An image and its label; raises DataError unless the label is a whole number."""
    pair = dataset[index]
    try:
        image, label = pair
        return image, operator.index(label)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"item {index} is not an image with a whole number as its label ({error}); "
            "only classification sets can be learnt from"
        ) from error


def single(image: Any) -> Tensor:
    """uint8 (1, channels, height, width) of a tensor or an array."""
    return images_of(tensor_of(image, "an image's pixels")[None], "an image's pixels")


def look(image: Any) -> tuple[int, int, int]:
    """Channels, height and width of a PIL image, a tensor or an array."""
    if isinstance(image, Image.Image):
        return (1 if image.mode in GREY_MODES else 3, image.height, image.width)
    _, channels, height, width = single(image).shape
    return channels, height, width


def pixels_of(image: Any, channels: int, size: int) -> Tensor:
    """uint8 (channels, size, size) of a PIL image, a tensor or an array."""
    if look(image)[0] > channels:
        raise ValueError("it is in colour, and all images looked at before are grey")
    if isinstance(image, Image.Image):
        return pixels(image, channels, size)
    return fit(single(image), size)[0].expand(channels, -1, -1)


def numbered(index: int) -> str:
    return f"number {index}"


@dataclass(frozen=True, slots=True)
class Probe:
    """What one item looks like."""

    index: int
    label: int
    shape: tuple[int, int, int]
    """Channels, height and width."""


def probe(dataset: Any, broken: Broken) -> list[Probe]:
    """Looks at items spread evenly over a data set; raises DataError if none can be read."""

    def ask(index: int) -> Probe:
        image, label = item(dataset, index)
        return Probe(index, label, look(image))

    if not len(dataset):
        raise DataError("a data set holds no images; give at least a few of each class")
    spread = sorted({i * len(dataset) // PROBES for i in range(PROBES)})
    found, _ = attempts(ask, numbered, spread, broken)
    if not found:
        raise DataError("no image of a data set can be read; try one by hand: dataset[0]")
    return [one for _, one in found]


def stored_labels(dataset: Any, probes: Sequence[Probe]) -> list[int] | None:
    """All labels without decoding all images; None where not kept, or not as in the items."""
    for name in LABELS:
        try:
            labels = [operator.index(value) for value in getattr(dataset, name, ())]
        except TypeError:
            continue
        same = len(labels) == len(dataset)
        if same and all(labels[one.index] == one.label for one in probes):
            return labels
    return None


def label(dataset: Any, probes: Sequence[Probe], broken: Broken) -> Labelled:
    """Asks a data set for its labels, decoding its images only if there is no other way."""
    everything = range(len(dataset))
    labels = stored_labels(dataset, probes)
    if labels is not None:
        return Labelled(dataset, everything, labels)
    found, skipped = attempts(lambda i: item(dataset, i)[1], numbered, everything, broken)
    return Labelled(dataset, [i for i, _ in found], [label for _, label in found], skipped)


def classes_of(labelled: Labelled) -> tuple[str, ...]:
    """The data set's own class names, made distinct; numbers where it has none."""
    count = max(labelled.labels) + 1
    for attribute in ("classes", "categories"):
        names = getattr(labelled.dataset, attribute, None)
        if isinstance(names, Sequence) and not isinstance(names, str) and len(names) >= count:
            texts = [name if isinstance(name, str) else ", ".join(name) for name in names]
            return tuple(
                f"{text} ({number})" if text in texts[:number] else text
                for number, text in enumerate(texts)
            )
    return tuple(map(str, range(count)))


def shape_of(probes: Sequence[Probe], size: int | None) -> tuple[int, int]:
    """Channels and size that suit all: grey only if all images looked at are grey."""
    channels = max(one.shape[0] for one in probes)
    sides = {side for one in probes for side in one.shape[1:]}
    native = min(sides) if len(sides) == 1 and max(sides) <= LARGEST_NATIVE else PICTURE_SIZE
    return channels, size or native


def part_of(labelled: Labelled, classes: int, shape: tuple[int, int], broken: Broken) -> Part:
    """A part that decodes an item when it is wanted."""
    positions = labelled.positions

    def decode(index: int) -> Tensor:
        return pixels_of(item(labelled.dataset, positions[index])[0], *shape)

    def read(indices: Tensor) -> Read:
        return read_images(decode, lambda i: numbered(positions[i]), indices, broken)

    return Part(labels_of(labelled.labels, len(positions), classes), read)


def raw_of(train: Any, test: Any | None, options: Options) -> Raw:
    """One or two torchvision-style data sets as a source."""
    sets = [train] if test is None else [train, test]
    probes = [probe(one, options.broken) for one in sets]
    shape = shape_of([one for found in probes for one in found], options.size)
    labelled = [
        label(one, found, options.broken) for one, found in zip(sets, probes, strict=True)
    ]
    classes = classes_of(labelled[0])
    parts = [part_of(one, len(classes), shape, options.broken) for one in labelled]
    skipped = tuple(name for one in labelled for name in one.skipped)
    return Raw(classes, *shape, parts[0], test=dict(enumerate(parts)).get(1), skipped=skipped)
