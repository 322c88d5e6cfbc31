import numpy as np
import pytest

from kdsearch.errors import ExportError
from kdsearch.export.parity import check, compare

EXPECTED = np.array([[1.0, 2.0], [4.0, -1.0]], np.float32)


class Artefact:
    """A format whose artefact gives its images back, plus an error; notes its batches."""

    name = "echo"

    def __init__(self, error=0.0):
        self.error, self.batches = error, []

    def load(self, folder):
        def call(images):
            self.batches.append(len(images))
            return images[:, :, 0, 0] + np.float32(self.error)

        return call


def test_numbers_by_hand():
    actual = EXPECTED + np.array([[0.0, -1.5], [0.25, 0.0]], np.float32)
    found = compare(EXPECTED, actual)
    assert (found.images, found.max_abs, found.relative) == (2, 1.5, 1.5 / 4)
    assert found.top1_agreement == 0.5


def test_equal_logits_agree_even_if_all_are_zero():
    zeros = np.zeros((3, 2), np.float32)
    found = compare(zeros, zeros)
    assert (found.max_abs, found.relative, found.top1_agreement) == (0, 0, 1)


def images(n):
    return np.random.default_rng(0).normal(size=(n, 3, 1, 1)).astype(np.float32)


@pytest.mark.parametrize(("n", "batches"), [(2, [1, 1]), (100, [1, 1, 1, 1, 64, 32])])
def test_singles_and_batches_go_through_the_artefact(n, batches):
    artefact, many = Artefact(), images(n)
    assert check(artefact, None, many, many[:, :, 0, 0]).images == n
    assert artefact.batches == batches


def test_a_relative_difference_too_large_is_refused_though_classes_agree():
    many = images(50)
    assert check(Artefact(error=1e-4), None, many, many[:, :, 0, 0]).top1_agreement == 1
    with pytest.raises(ExportError, match="100.0% of 50 images.*relative difference 0.0"):
        check(Artefact(error=0.05), None, many, many[:, :, 0, 0])


def test_one_other_class_is_refused_though_the_difference_is_small():
    many = images(50)
    expected = many[:, :, 0, 0].copy()
    many[7, :2] = expected[7, :2] = 9.0
    expected[7, 0] += 1e-4
    many[7, 1] += 2e-4
    with pytest.raises(ExportError, match="98.0% of 50 images"):
        check(Artefact(), None, many, expected)


def test_not_a_number_is_refused():
    many = images(5)
    with pytest.raises(ExportError, match="relative difference nan"):
        check(Artefact(error=np.nan), None, many, many[:, :, 0, 0])


def test_other_classes_are_refused():
    many = images(5)
    with pytest.raises(ExportError, match=r"\(5, 3\) instead of \(5, 2\)"):
        check(Artefact(), None, many, many[:, :2, 0, 0])
