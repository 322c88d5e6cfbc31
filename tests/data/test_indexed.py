from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from kdsearch.data.indexed import raw_of
from kdsearch.data.records import Options
from kdsearch.errors import DataError


class Items:
    """A data set of given items; counts how often one is decoded."""

    def __init__(self, items: list[tuple[Any, Any]], **attributes: Any) -> None:
        self.items, self.decoded = items, 0
        self.__dict__.update(attributes)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        self.decoded += 1
        if self.items[index][0] is None:
            raise OSError("truncated")
        return self.items[index]


def grey(value: int, size: tuple[int, int] = (8, 8)) -> Image.Image:
    return Image.new("L", size, value)


def ten(**attributes: Any) -> Items:
    return Items([(grey(10 * i), i % 2) for i in range(10)], **attributes)


def test_pictures_keep_a_small_common_size() -> None:
    raw = raw_of(ten(), None, Options())
    assert (raw.channels, raw.size, raw.classes) == (1, 8, ("0", "1"))
    read = raw.train.read(torch.tensor([3, 0]))
    assert read.images[:, 0, 0, 0].tolist() == [30, 0]
    assert raw.train.labels.tolist() == [0, 1] * 5
    assert (
        raw_of(ten(), None, Options(size=4)).train.read(torch.tensor([1])).images.shape[-1] == 4
    )


@pytest.mark.parametrize("sizes", [[(8, 8), (9, 8)], [(100, 100), (100, 100)]])
def test_pictures_of_many_or_large_sizes_become_32_pixels(sizes: list[tuple[int, int]]) -> None:
    items = Items([(grey(0, size), i) for i, size in enumerate(sizes)])
    assert raw_of(items, None, Options()).size == 32


def test_colour_in_either_part_makes_all_colour() -> None:
    colour = Items([(Image.new("RGB", (8, 8), (1, 2, 3)), 0)])
    raw = raw_of(ten(), colour, Options())
    assert raw.channels == 3
    assert raw.train.read(torch.tensor([5])).images[0, :, 0, 0].tolist() == [50, 50, 50]
    assert raw.test is not None
    assert raw.test.read(torch.tensor([0])).images[0, :, 0, 0].tolist() == [1, 2, 3]


def test_tensors_and_arrays_are_images_too() -> None:
    items = Items(
        [
            (torch.full((3, 6, 6), 0.2), 0),
            (np.full((6, 6, 3), 51, np.uint8), np.int64(1)),
            (np.full((6, 6), 51, np.uint8), torch.tensor(1)),
        ]
    )
    raw = raw_of(items, None, Options())
    assert (raw.channels, raw.size) == (3, 6)
    assert raw.train.read(torch.arange(3)).images.unique().tolist() == [51]


@pytest.mark.parametrize("attribute", ["targets", "labels", "_labels", "y"])
def test_stored_labels_save_decoding(attribute: str) -> None:
    items = Items([(grey(0), i % 2) for i in range(500)])
    setattr(items, attribute, np.arange(500) % 2)
    raw = raw_of(items, None, Options())
    assert raw.train.labels.tolist() == [0, 1] * 250
    assert items.decoded < 100


@pytest.mark.parametrize("wrong", [[1, 0] * 5, [0, 1], ["a"] * 10, [[0]] * 10, None, 7])
def test_stored_labels_that_do_not_fit_are_not_believed(wrong: Any) -> None:
    assert raw_of(ten(targets=wrong), None, Options()).train.labels.tolist() == [0, 1] * 5


def test_class_names_are_the_sets_own_and_distinct() -> None:
    assert raw_of(ten(classes=["cat", "dog"]), None, Options()).classes == ("cat", "dog")
    assert raw_of(ten(categories=["cat", "dog"]), None, Options()).classes == ("cat", "dog")
    synonyms = [("crane", "bird"), ("crane", "bird")]
    assert raw_of(ten(classes=synonyms), None, Options()).classes == (
        "crane, bird",
        "crane, bird (1)",
    )
    assert raw_of(ten(classes=["cat"]), None, Options()).classes == ("0", "1")


def test_broken_items() -> None:
    items = [(grey(i), i % 2) for i in range(200)]
    items[77] = (None, 1)  # type: ignore[assignment]
    with pytest.raises(DataError, match=r"broken image number 77 \(truncated\)"):
        raw_of(Items(items), None, Options())
    raw = raw_of(Items(items), None, Options(broken="skip"))
    assert raw.skipped == ("number 77",)
    assert len(raw.train) == 199
    assert raw.train.read(torch.tensor([77])).images[0, 0, 0, 0] == 78
    known = Items(items, targets=[i % 2 for i in range(200)])
    raw = raw_of(known, None, Options(broken="skip"))
    assert raw.train.read(torch.tensor([76, 77])).broken == ("number 77",)


def test_late_colour_in_a_grey_set_is_a_broken_image() -> None:
    items = [(grey(i), i % 2) for i in range(200)]
    items[1] = (Image.new("RGB", (8, 8)), 1)
    raw = raw_of(Items(items), None, Options())
    with pytest.raises(DataError, match=r"broken image number 1 \(it is in colour"):
        raw.train.read(torch.tensor([1]))


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "holds no images"),
        ([(None, 0)], "no image of a data set can be read"),
        ([(grey(0), "cat")], "item 0 is not an image with a whole number as its label"),
        ([(grey(0), 0.5)], "whole number"),
        ([(grey(0), [1, 2])], "whole number"),
        ([(grey(0), 1, 2)], "item 0 is not an image"),
        ([(grey(0), -1)], "run from -1"),
        ([(torch.zeros(2, 2, 2, 2), 0)], "shape"),
        ([(torch.full((1, 2, 2), -1.0), 0)], "range from -1"),
    ],
)
def test_what_is_not_a_classification_set(items: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        raw_of(Items(items), None, Options(broken="skip"))
