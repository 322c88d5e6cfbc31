import pytest
import torch
from torch import Tensor

from kdsearch.data.augment import AUGMENTS, Augment, normalise
from kdsearch.errors import DataError


def batch(count: int = 64, size: int = 8, channels: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (count, channels, size, size)
    return torch.randint(1, 256, shape, dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("policy", AUGMENTS)
def test_deterministic_of_one_shape_and_without_side_effects(policy: str) -> None:
    images = batch()
    before, state = images.clone(), torch.random.get_rng_state()
    augment = Augment(policy, 8)
    first = augment(images, 5)
    assert torch.equal(first, augment(images, 5))
    assert torch.equal(first, Augment(policy, 8)(images, 5))
    assert (first.shape, first.dtype) == (images.shape, torch.uint8)
    assert torch.equal(images, before)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(augment(images, 6), first) == (policy == "none")


def test_none_is_the_identity() -> None:
    images = batch()
    assert torch.equal(Augment("none", 8)(images, 1), images)


def shifts_of(image: Tensor, made: Tensor, reach: int) -> list[tuple[int, int]]:
    """Which shifts, with zeros moving in, turn the one into the other."""
    size = image.shape[-1]
    padded = torch.nn.functional.pad(image, (reach,) * 4)
    return [
        (y, x)
        for y in range(2 * reach + 1)
        for x in range(2 * reach + 1)
        if torch.equal(padded[:, y : y + size, x : x + size], made)
    ]


@pytest.mark.parametrize(("size", "reach"), [(8, 1), (16, 2), (28, 4), (32, 4)])
def test_a_shift_moves_an_image_by_an_eighth_at_most(size: int, reach: int) -> None:
    images = batch(32, size)
    found = set()
    augment = Augment("shift", size)
    for seed in range(20):
        for image, made in zip(images, augment(images, seed), strict=True):
            (shift,) = shifts_of(image, made, reach)
            found.add(shift)
    ends = {y for y, _ in found} | {x for _, x in found}
    assert (min(ends), max(ends)) == (0, 2 * reach)


def test_each_group_of_a_batch_has_its_own_draw() -> None:
    images = batch(1, 16).expand(64, -1, -1, -1)
    made = Augment("shift", 16)(images, 0)
    groups = made.view(16, 4, *made.shape[1:])
    assert torch.equal(groups, groups[:, :1].expand_as(groups))
    assert len({group[0].numpy().tobytes() for group in groups}) > 5


def test_flips_are_flips_and_labels_stay_with_their_images() -> None:
    images = batch(48, 8, channels=3)
    flipped = 0
    for seed in range(10):
        made = Augment("shift-flip", 8)(images, seed)
        for image, result in zip(images, made, strict=True):
            straight = shifts_of(image, result, 1)
            mirrored = shifts_of(image.flip(-1), result, 1)
            assert len(straight) + len(mirrored) == 1
            flipped += len(mirrored)
    assert 0.35 < flipped / 480 < 0.65


def test_small_and_single_batches() -> None:
    for count in (1, 3, 17):
        assert Augment("shift-flip", 8)(batch(count), 0).shape[0] == count


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(DataError, match=r"unknown augmentation 'sift'; did you mean 'shift'"):
        Augment("sift", 8)


def test_normalise_by_hand() -> None:
    images = torch.tensor([[[[0, 51]], [[255, 102]]]], dtype=torch.uint8)
    found = normalise(images, mean=(0.2, 0.4), std=(0.1, 0.5))
    # (0 - .2) / .1, (.2 - .2) / .1, (1 - .4) / .5, (.4 - .4) / .5
    expected = torch.tensor([[[[-2.0, 0.0]], [[1.2, 0.0]]]])
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert found.dtype == torch.float32
    assert images[0, 1, 0, 0] == 255


def test_normalise_gives_training_data_mean_0_and_deviation_1() -> None:
    images = batch(200)
    scaled = images.double() / 255
    found = normalise(images, [scaled.mean().item()], [scaled.std(correction=0).item()])
    assert found.mean().item() == pytest.approx(0, abs=1e-5)
    assert found.std(correction=0).item() == pytest.approx(1, abs=1e-5)
