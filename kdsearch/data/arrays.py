"""Arrays of any common layout as uint8 images, and label lists as int64 tensors, checked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kdsearch.data.records import Part, Read
from kdsearch.errors import DataError

LAYOUTS = "(n, height, width), (n, channels, height, width) or (n, height, width, channels)"


def tensor_of(values: Any, what: str) -> Tensor:
    """A tensor, array or nested list as a tensor on the CPU; raises DataError if ragged."""
    if isinstance(values, Tensor):
        return values.detach().cpu()
    try:
        array = np.asarray(values)
        if array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("="))
        return torch.from_numpy(np.ascontiguousarray(array))
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{what} do not form one array of numbers ({error}); "
            "give all of one size and type, or a data set of pictures"
        ) from error


def images_of(values: Any, what: str = "images") -> Tensor:
    """uint8 (n, channels, height, width) of uint8 values, or of floats in [0, 1].

    Channels are 1 or 3, last or second; without that axis the images are grey.
    """
    images = tensor_of(values, what)
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.permute(0, 3, 1, 2)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        shape = tuple(tensor_of(values, what).shape)
        raise DataError(f"{what} have shape {shape}; needed: {LAYOUTS}, with 1 or 3 channels")
    if images.dtype == torch.uint8:
        return images.contiguous()
    if not images.is_floating_point():
        kind = str(images.dtype).removeprefix("torch.")
        raise DataError(f"{what} are {kind}; give uint8 in 0..255, or floats in [0, 1]")
    low, high = images.min().item(), images.max().item()
    if not (low >= 0 and high <= 1):
        raise DataError(
            f"{what} range from {low:g} to {high:g}; floats must lie in [0, 1]: scale them, "
            "and leave out any normalising"
        )
    return images.mul(255).round_().to(torch.uint8).contiguous()


def labels_of(values: Any, count: int, classes: int, what: str = "labels") -> Tensor:
    """int64 (count,) of whole numbers in [0, classes); raises DataError otherwise."""
    labels = tensor_of(values, what)
    kind = str(labels.dtype).removeprefix("torch.")
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise DataError(f"{what} are {kind}; give whole numbers, one per image")
    if labels.shape != (count,):
        raise DataError(f"{what} have shape {tuple(labels.shape)}; one per image: ({count},)")
    labels = labels.to(torch.int64)
    if count and not (labels.min() >= 0 and labels.max() < classes):
        raise DataError(
            f"{what} run from {labels.min()} to {labels.max()}; with {classes} classes they "
            f"must lie in 0..{classes - 1}"
        )
    return labels


def class_names(values: Any) -> tuple[str, ...]:
    """Class names as text; raises DataError unless they are a list of different names."""
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
        raise DataError(f"classes are {values!r}; give a list of names, one per label")
    names = tuple(map(str, values))
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"class name '{twice}' appears twice; give each class its own")
    return names


def fit(images: Tensor, size: int) -> Tensor:
    """The central square of uint8 (n, c, h, w) images, resized with antialiasing."""
    from torchvision.transforms.v2 import functional

    side = min(images.shape[-2:])
    images = functional.center_crop(images, [side, side])
    if side == size:
        return images.contiguous()
    resized: Tensor = functional.resize(images, [size, size], antialias=True)
    return resized.contiguous()


def array_part(images: Tensor, labels: Tensor, size: int) -> Part:
    """A part of images that are in memory already: uint8 (n, c, h, w) and int64 (n,)."""

    def read(indices: Tensor) -> Read:
        return Read(fit(images[indices], size), torch.arange(len(indices)))

    return Part(labels, read)
