from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits

from kdsearch.core.progress import Silent
from kdsearch.data.digits import Digits
from kdsearch.data.load import load_search
from kdsearch.data.records import DataInfo, Options


def test_all_images_in_full_range() -> None:
    raw = Digits().load("", Options(), Silent())
    images = raw.train.read(torch.arange(1797)).images
    source = torch.from_numpy(load_digits().images)
    assert images.shape == (1797, 1, 8, 8)
    assert raw.train.labels.tolist() == load_digits().target.tolist()
    assert torch.equal(
        images[source[:, None] == 16].unique(), torch.tensor([255], dtype=torch.uint8)
    )
    torch.testing.assert_close(images[:, 0] / 255, (source / 16).float(), atol=1 / 500, rtol=0)


def test_search_val_and_test_are_large_enough_to_compare_on(
    digits: tuple[Path, DataInfo],
) -> None:
    counts = digits[1].counts
    assert counts["search_val"] >= 350
    assert counts["test"] >= 350
    assert counts["train"] + counts["search_val"] + counts["test"] == 1797
    assert counts["calibration"] == 256


def test_classes_keep_their_shares(digits: tuple[Path, DataInfo]) -> None:
    data = load_search(digits[0])
    whole = torch.bincount(torch.from_numpy(load_digits().target)) / 1797
    for split in (data.train, data.search_val, data.calibration):
        shares = torch.bincount(split.labels) / len(split)
        torch.testing.assert_close(shares, whole, atol=1 / len(split), rtol=0)


@pytest.mark.parametrize("size", [4, 16])
def test_another_size(size: int) -> None:
    raw = Digits().load("", Options(size=size), Silent())
    assert raw.train.read(torch.arange(3)).images.shape == (3, 1, size, size)
