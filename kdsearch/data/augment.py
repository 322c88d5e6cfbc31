"""Augmentation of whole batches, deterministic from a seed, and normalising."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from kdsearch.errors import DataError, did_you_mean

GROUPS = 16
"""Parts of a batch that are augmented together, each with its own draw."""


def shift(size: int) -> list[nn.Module]:
    """Zero padding by an eighth, random crop (He et al., 2016, arXiv:1512.03385, sec. 4.2)."""
    return [v2.RandomCrop(size, padding=max(1, round(size / 8)))]


AUGMENTS: Mapping[str, Callable[[int], list[nn.Module]]] = MappingProxyType(
    {
        "none": lambda size: [],
        "shift": shift,
        "shift-flip": lambda size: [*shift(size), v2.RandomHorizontalFlip()],
    }
)


class Augment:
    """Applies a policy of AUGMENTS to batches; the labels of the images stay true."""

    def __init__(self, policy: str, size: int) -> None:
        if policy not in AUGMENTS:
            raise DataError(
                f"unknown augmentation '{policy}'; {did_you_mean(policy, AUGMENTS)}"
            )
        self._transforms = AUGMENTS[policy](size)

    def __call__(self, images: Tensor, seed: int) -> Tensor:
        """uint8 (n, c, size, size) to the same; equal seeds give equal draws on any device."""
        if not self._transforms:
            return images
        with torch.random.fork_rng(devices=[]):
            # v2 draws on the CPU; torch.manual_seed would also touch every GPU's generator.
            torch.default_generator.manual_seed(seed)
            return torch.cat([self._group(group) for group in images.chunk(GROUPS)])

    def _group(self, images: Tensor) -> Tensor:
        for transform in self._transforms:
            images = transform(images)
        return images


@lru_cache(maxsize=16)
def _constants(values: tuple[float, ...], device: torch.device) -> Tensor:
    """(channels, 1, 1) on a device; kept, because a copy to a GPU waits for it."""
    return torch.tensor(values, dtype=torch.float32, device=device)[:, None, None]


def normalise(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """float32 (n, c, h, w): (images / 255 - mean) / std, per channel, of uint8 images."""
    centre, spread = (_constants(tuple(v), images.device) for v in (mean, std))
    return images.to(torch.float32).div_(255).sub_(centre).div_(spread)
