"""Augmentation of whole batches, deterministic from a seed, and normalising.

Policies have a strength (the scale is ours): 0 varies nothing, 1 is the policy as published, 2
shifts twice as far. Flips grow up to 1 alone, as half of the images is all that can be flipped.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from kdsearch.errors import DataError, did_you_mean

GROUPS = 16
"""Parts of a batch that are augmented together, each with its own draw."""


class Shift(nn.Module):
    """Zero padding by `reach` pixels, random crop back to `size`.

    A reach between two whole numbers is one of them in each draw, itself in the mean: small
    images, which an eighth of is one pixel, know strengths between 0, 1 and 2, too.
    """

    def __init__(self, size: int, reach: float) -> None:
        super().__init__()
        low = int(reach)
        self.further = reach - low
        self.crops = [v2.RandomCrop(size, padding=p) if p else None for p in (low, low + 1)]

    def forward(self, images: Tensor) -> Tensor:
        is_further = self.further > 0 and float(torch.rand(())) < self.further
        crop = self.crops[is_further]
        return images if crop is None else crop(images)


def shift(size: int, strength: float) -> list[nn.Module]:
    """Padding by an eighth (He et al., 2016, arXiv:1512.03385, sec. 4.2) times the strength."""
    return [Shift(size, strength * max(1, round(size / 8)))]


def flip(strength: float) -> nn.Module:
    made: nn.Module = v2.RandomHorizontalFlip(0.5 * min(1.0, strength))
    return made


AUGMENTS: Mapping[str, Callable[[int, float], list[nn.Module]]] = MappingProxyType(
    {
        "none": lambda size, strength: [],
        "shift": shift,
        "shift-flip": lambda size, strength: [*shift(size, strength), flip(strength)],
    }
)


class Augment:
    """Applies a policy of AUGMENTS to batches; the labels of the images stay true."""

    def __init__(self, policy: str, size: int, strength: float = 1.0) -> None:
        if policy not in AUGMENTS:
            raise DataError(
                f"unknown augmentation '{policy}'; {did_you_mean(policy, AUGMENTS)}"
            )
        self._transforms = AUGMENTS[policy](size, strength) if strength > 0 else []

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
