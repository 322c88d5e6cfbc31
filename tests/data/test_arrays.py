import numpy as np
import pytest
import torch

from kdsearch.data.arrays import array_part, class_names, fit, images_of, labels_of
from kdsearch.errors import DataError


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5, 6, 7), (5, 1, 6, 7)),
        ((5, 1, 6, 7), (5, 1, 6, 7)),
        ((5, 3, 6, 7), (5, 3, 6, 7)),
        ((5, 6, 7, 1), (5, 1, 6, 7)),
        ((5, 6, 7, 3), (5, 3, 6, 7)),
        ((5, 3, 7, 3), (5, 3, 7, 3)),
    ],
)
def test_layouts(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    images = images_of(array)
    assert images.shape == expected
    assert images.dtype == torch.uint8
    assert images.is_contiguous()
    if shape[-1] == 3 and shape[1] != 3:
        assert torch.equal(images[:, 2], torch.from_numpy(array[..., 2]))


def test_floats_are_rounded_to_levels() -> None:
    found = images_of(torch.tensor([[[0.0, 1.0, 0.5, 1 / 255]]]))
    assert found.flatten().tolist() == [0, 255, 128, 1]
    assert images_of(np.full((2, 3, 3), 0.2)).unique().tolist() == [51]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 4, 5, 5), np.uint8), r"shape \(2, 4, 5, 5\); needed"),
        (np.zeros((2, 5), np.uint8), r"shape \(2, 5\); needed"),
        (np.zeros((0, 5, 5), np.uint8), r"shape \(0, 5, 5\); needed"),
        (np.zeros((2, 5, 5), np.int32), "are int32; give uint8"),
        (np.full((2, 5, 5), 2.5), r"range from 2.5 to 2.5; floats must lie in \[0, 1\]"),
        (np.full((2, 5, 5), np.nan), "range from nan to nan"),
        (torch.full((2, 5, 5), -0.1), "range from -0.1"),
        ([np.zeros((5, 5), np.uint8), np.zeros((6, 6), np.uint8)], "give all of one size"),
        ("pixels", "give all of one size"),
        (None, "give all of one size"),
    ],
)
def test_images_that_are_none(values: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        images_of(values)


def test_byte_orders_and_views_are_understood() -> None:
    array = np.linspace(0, 1, 50).reshape(2, 5, 5).astype(">f4")
    assert torch.equal(images_of(array), images_of(array.astype("<f4")))
    assert torch.equal(images_of(array[:, ::-1]), images_of(array).flip(2))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0, 1, 2], r"run from 0 to 2; with 2 classes they must lie in 0..1"),
        ([0, -1, 1], "run from -1 to 1"),
        ([0, 1], r"shape \(2,\); one per image: \(3,\)"),
        ([0.0, 1.0, 1.0], "are float64; give whole numbers"),
        ([[1], [0], [0]], r"shape \(3, 1\)"),
        (["a", "b", "a"], "do not form one array"),
    ],
)
def test_labels_that_are_none(values: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        labels_of(values, 3, 2)


def test_labels_of_any_whole_type() -> None:
    for kind in (np.uint8, np.int32, np.int64):
        labels = labels_of(np.array([0, 2, 1], kind), 3, 3)
        assert (labels.tolist(), labels.dtype) == ([0, 2, 1], torch.int64)


def test_class_names() -> None:
    assert class_names(["a", 7]) == ("a", "7")
    assert class_names(np.array(["a", "b"])) == ("a", "b")
    with pytest.raises(DataError, match="'a' appears twice"):
        class_names(["a", "b", "a"])
    for wrong in ("abc", 3, None):
        with pytest.raises(DataError, match="give a list of names"):
            class_names(wrong)


def test_fit_takes_the_central_square() -> None:
    images = torch.arange(2 * 4 * 8, dtype=torch.uint8).view(2, 1, 4, 8)
    assert torch.equal(fit(images, 4), images[..., 2:6])


def test_fit_averages_where_it_shrinks() -> None:
    stripes = torch.tensor([0, 255] * 16, dtype=torch.uint8).expand(1, 1, 32, 32)
    shrunk = fit(stripes, 4)
    assert shrunk.shape == (1, 1, 4, 4)
    assert 110 < shrunk[..., 1:3].min() <= shrunk[..., 1:3].max() < 145


def test_a_part_reads_what_it_is_asked_for() -> None:
    images = torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1).expand(5, 1, 4, 4)
    part = array_part(images, torch.arange(5), 2)
    read = part.read(torch.tensor([3, 1]))
    assert read.images[:, 0, 0, 0].tolist() == [3, 1]
    assert read.images.shape == (2, 1, 2, 2)
    assert (read.kept.tolist(), read.broken) == ([0, 1], ())
