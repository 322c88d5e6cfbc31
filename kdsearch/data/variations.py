"""A bank of fixed variations: each image augmented a few times, the same times for everybody.

What a frozen network says of a variation is then a property of it, and can be stored, as in
TinyViT's fast pretraining distillation (Wu et al., 2022, arXiv:2207.10666, sec. 3.1).
"""

import torch
from torch import Tensor

from kdsearch.core.seeds import derive
from kdsearch.data.augment import Augment

BLOCK = 128
"""Images that are augmented in one go."""


def variation(images: Tensor, augment: Augment, version: int) -> Tensor:
    """uint8 (n, c, h, w): every image in its variation `version`, whatever the run's seed."""
    blocks = torch.split(images, BLOCK)
    seeds = (derive(0, "variation", version, n) for n in range(len(blocks)))
    return torch.cat([augment(b, seed) for b, seed in zip(blocks, seeds, strict=True)])
