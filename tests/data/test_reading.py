import warnings

import pytest
import torch
from torch import Tensor

from kdsearch.data.reading import CHUNK, attempts, gather, read_images
from kdsearch.data.records import Part, Read
from kdsearch.errors import DataError


def decode(index: int) -> Tensor:
    if index % 4 == 3:
        raise OSError("truncated\nand more")
    return torch.full((1, 2, 2), index % 251, dtype=torch.uint8)


def test_broken_images_stop_with_their_name_and_a_way_out() -> None:
    with pytest.raises(DataError) as error:
        read_images(decode, "photo {}".format, torch.tensor([0, 7, 3]), "stop")
    assert str(error.value) == (
        "broken image photo 7 (truncated); repair or remove it, or set data.broken: skip"
    )


def test_broken_images_are_left_out_and_named() -> None:
    read = read_images(decode, "photo {}".format, torch.tensor([2, 7, 4, 3]), "skip")
    assert read.images[:, 0, 0, 0].tolist() == [2, 4]
    assert read.kept.tolist() == [0, 2]
    assert read.broken == ("photo 7", "photo 3")
    assert len(read_images(decode, str, torch.tensor([3]), "skip").kept) == 0


@pytest.mark.parametrize("failure", [DataError("all wrong"), MemoryError()])
def test_what_is_worse_than_a_broken_image_ends(failure: Exception) -> None:
    def fail(index: int) -> None:
        raise failure

    with pytest.raises(type(failure)):
        attempts(fail, str, [0], "skip")


def part() -> Part:
    return Part(
        torch.arange(2000) % 7, lambda indices: read_images(decode, str, indices, "skip")
    )


def test_gathered_images_keep_their_labels() -> None:
    wanted = torch.randperm(2000, generator=torch.Generator().manual_seed(0))
    told: list[int] = []
    split, broken = gather(part(), wanted, (1, 2), told.append)
    good = [index for index in wanted.tolist() if index % 4 != 3]
    assert split.images[:, 0, 1, 1].tolist() == [index % 251 for index in good]
    assert split.labels.tolist() == [index % 7 for index in good]
    assert sorted(map(int, broken)) == list(range(3, 2000, 4))
    assert sum(told) == 2000
    assert max(told) == CHUNK


def test_a_chunk_without_a_readable_image() -> None:
    split, broken = gather(part(), torch.tensor([3, 7]), (1, 2), lambda count: None)
    assert (len(split), split.images.shape, len(broken)) == (0, (0, 1, 2, 2), 2)


def test_remarks_of_the_image_library_do_not_surface() -> None:
    def read(indices: Tensor) -> Read:
        warnings.warn_explicit(
            "Corrupt EXIF data", UserWarning, "Tiff.py", 1, "PIL.TiffImagePlugin"
        )
        return read_images(decode, str, indices, "stop")

    gather(
        Part(torch.zeros(1, dtype=torch.int64), read), torch.tensor([0]), (1, 2), lambda c: None
    )
