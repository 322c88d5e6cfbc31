"""Fixed variations: the same for everybody, and not all alike."""

import torch

from kdsearch.data.augment import Augment
from kdsearch.data.variations import BLOCK, variation


def test_a_variation_is_fixed_and_others_differ() -> None:
    images = torch.randint(0, 256, (BLOCK + 30, 1, 8, 8), dtype=torch.uint8)
    augment = Augment("shift", 8)
    first = variation(images, augment, 0)
    torch.manual_seed(1)
    assert torch.equal(first, variation(images, Augment("shift", 8), 0))
    assert not torch.equal(first, variation(images, augment, 1))
    assert first.shape == images.shape and first.dtype == torch.uint8
    same = variation(images[:1].expand(BLOCK + 30, -1, -1, -1), augment, 0)
    assert len(torch.unique(same.flatten(1), dim=0)) > 5  # within a variation, too


def test_without_augmentation_it_is_the_image() -> None:
    images = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8)
    assert torch.equal(variation(images, Augment("none", 8), 3), images)
