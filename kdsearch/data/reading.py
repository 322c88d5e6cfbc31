"""Reads the wanted images of a part; broken ones stop the run, or are left out and named."""

import warnings
from collections.abc import Callable, Iterable
from typing import Any, Literal

import torch
from torch import Tensor

from kdsearch.data.records import Part, Read, Split
from kdsearch.errors import DataError

CHUNK = 512
"""Images read between two signs of progress."""

Broken = Literal["stop", "skip"]
Mapper = Callable[[Callable[[int], Any], Iterable[int]], Iterable[Any]]
"""The built-in map, or a thread pool's."""


def attempts(
    function: Callable[[int], Any],
    name: Callable[[int], str],
    indices: Iterable[int],
    broken: Broken,
    mapper: Mapper = map,
) -> tuple[list[tuple[int, Any]], tuple[str, ...]]:
    """(position, result) wherever `function` works, and the names where it does not.

    With broken="stop" the first failure raises DataError. Decoders raise anything at all on
    damaged files, so that any exception means a broken image; a DataError means more, and ends.
    """
    indices = list(indices)

    def attempt(index: int) -> Any:
        try:
            return function(index)
        except (MemoryError, DataError):
            raise
        except Exception as error:
            return error

    results, failed = [], []
    for position, result in enumerate(mapper(attempt, indices)):
        if not isinstance(result, Exception):
            results.append((position, result))
            continue
        failed.append(name(indices[position]))
        if broken == "stop":
            reason = str(result).splitlines()[0] if str(result) else type(result).__name__
            raise DataError(
                f"broken image {failed[0]} ({reason}); repair or remove it, "
                "or set data.broken: skip"
            ) from result
    return results, tuple(failed)


def read_images(
    decode: Callable[[int], Tensor],
    name: Callable[[int], str],
    indices: Tensor,
    broken: Broken,
    mapper: Mapper = map,
) -> Read:
    """The images at `indices`; `decode` gives uint8 (channels, size, size)."""
    results, failed = attempts(decode, name, indices.tolist(), broken, mapper)
    kept = torch.tensor([position for position, _ in results], dtype=torch.int64)
    images = [image for _, image in results]
    return Read(torch.stack(images) if images else torch.empty(0), kept, failed)


def gather(
    part: Part, indices: Tensor, shape: tuple[int, int], tell: Callable[[int], None]
) -> tuple[Split, tuple[str, ...]]:
    """The images of a part at `indices`, in memory, and the names of those that were broken.

    Args:
        part: where they come from.
        indices: int64 positions in the part.
        shape: channels and size.
        tell: called with the number of images handled since the last call.
    """
    channels, size = shape
    images = torch.empty((len(indices), channels, size, size), dtype=torch.uint8)
    labels: list[Tensor] = []
    names: list[str] = []
    filled = 0
    for wanted in torch.split(indices, CHUNK):
        with warnings.catch_warnings():  # of remarks on metadata, as from photographs' EXIF
            warnings.filterwarnings("ignore", module=r"PIL\.")
            read = part.read(wanted)
        if len(read.kept):
            images[filled : filled + len(read.kept)] = read.images
        filled += len(read.kept)
        labels.append(part.labels[wanted[read.kept]])
        names.extend(read.broken)
        tell(len(wanted))
    return Split(images[:filled], torch.cat(labels)), tuple(names)
