import numpy as np
import pytest
import torch

from kdsearch.errors import ArtefactError
from kdsearch.export.checkset import CHECK, read_check, write_check

SHAPE = (2, 8, 8)


def test_comes_back_as_it_was(pixels, expected, tmp_path):
    path = write_check(pixels, expected, tmp_path)
    assert path == tmp_path / CHECK
    found, logits = read_check(path, SHAPE, 3)
    assert torch.equal(found, pixels[:64])
    np.testing.assert_array_equal(logits, expected[:64])


def test_large_images_are_fewer(tmp_path):
    pixels = torch.zeros(20, 3, 800, 800, dtype=torch.uint8)
    path = write_check(pixels, np.zeros((20, 2), np.float32), tmp_path)
    assert len(read_check(path, (3, 800, 800), 2)[0]) == 8


@pytest.mark.parametrize(("shape", "classes"), [((2, 8, 9), 3), ((1, 8, 8), 3), (SHAPE, 4)])
def test_images_of_another_student_are_refused(shape, classes, pixels, expected, tmp_path):
    path = write_check(pixels, expected, tmp_path)
    with pytest.raises(ArtefactError, match="not the images of this student"):
        read_check(path, shape, classes)


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, None])
def test_what_is_no_set_of_images(content, tmp_path):
    if content is not None:
        (tmp_path / CHECK).write_bytes(content)
    with pytest.raises(ArtefactError, match="no whole set of images"):
        read_check(tmp_path / CHECK, SHAPE, 3)
