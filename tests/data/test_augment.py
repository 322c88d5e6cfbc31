import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from kdsearch.data.augment import AUGMENTS, GROUPS, Augment, normalise
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


# Strengths.


@pytest.mark.parametrize(("size", "reach"), [(8, 1), (28, 4), (32, 4)])
def test_at_strength_1_each_image_is_bit_for_bit_what_the_policy_makes_of_it(
    size: int, reach: int
) -> None:
    images, crop, flip = batch(48, size), v2.RandomCrop(size, reach), v2.RandomHorizontalFlip()
    augment = Augment("shift-flip", size, 1.0)
    for seed in range(5):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            expected = torch.cat([flip(crop(group)) for group in images.chunk(GROUPS)])
        assert torch.equal(augment(images, seed), expected)


@pytest.mark.parametrize("policy", AUGMENTS)
def test_strength_0_shows_the_images_as_they_are(policy: str) -> None:
    images = batch()
    assert torch.equal(Augment(policy, 8, 0)(images, 1), images)


@pytest.mark.parametrize(("size", "strength", "reach"), [(8, 2, 2), (16, 0.5, 1), (16, 2, 4)])
def test_the_reach_of_a_shift_grows_with_the_strength(
    size: int, strength: float, reach: int
) -> None:
    images = batch(32, size)
    augment = Augment("shift", size, strength)
    found = set()
    for seed in range(40):
        for image, made in zip(images, augment(images, seed), strict=True):
            (shift,) = shifts_of(image, made, reach)
            found.add(shift)
    ends = {y for y, _ in found} | {x for _, x in found}
    assert (min(ends), max(ends)) == (0, 2 * reach)


def test_a_reach_between_two_numbers_is_one_of_them_and_itself_in_the_mean() -> None:
    """Reach r lets 2 r + 1 of the shifts of an axis be drawn: the share that stays in place
    is 1 / 9 where it is 1, and 1 where it is 0; at 0.25 a quarter of the draws reach 1."""
    images = batch(GROUPS, 8)
    augment = Augment("shift", 8, 0.25)
    still = [
        torch.equal(a, b)
        for k in range(200)
        for a, b in zip(images, augment(images, k), strict=True)
    ]
    assert sum(still) / len(still) == pytest.approx(0.75 + 0.25 / 9, abs=0.03)


@pytest.mark.parametrize(("strength", "share"), [(0.5, 0.25), (1.0, 0.5), (2.0, 0.5)])
def test_half_of_the_images_is_all_that_is_flipped(strength: float, share: float) -> None:
    images = batch(GROUPS, 8)
    (_, flip) = AUGMENTS["shift-flip"](8, strength)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        flips = [not torch.equal(flip(images[:1]), images[:1]) for _ in range(1000)]
    assert sum(flips) / 1000 == pytest.approx(share, abs=0.05)


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
