import numpy as np
import pytest

from kdsearch.errors import ExportError
from kdsearch.export.parity import EXACT, check, compare, opened

EXPECTED = np.array([[1.0, 2.0], [4.0, -1.0]], np.float32)


class Artefact:
    """A format whose artefact gives its images back, plus an error; notes its batches."""

    name = "echo"
    is_quantised = False

    def __init__(self, error=0.0):
        self.error, self.batches = error, []

    def load(self, folder, *, threads=1):
        def call(images):
            self.batches.append(len(images))
            return images[:, :, 0, 0] + np.float32(self.error)

        return call


def test_numbers_by_hand():
    actual = EXPECTED + np.array([[0.0, -1.5], [0.25, 0.0]], np.float32)
    found = compare(EXPECTED, actual, images=2)
    assert (found.images, found.max_abs, found.relative) == (2, 1.5, 1.5 / 4)
    assert found.top1_agreement == 0.5


def test_equal_logits_agree_even_if_all_are_zero():
    zeros = np.zeros((3, 2), np.float32)
    found = compare(zeros, zeros, images=3)
    assert (found.max_abs, found.relative, found.top1_agreement) == (0, 0, 1)


def checked(artefact, images, expected):
    return check(artefact, artefact.load(None), images, expected)


def images(n):
    return np.random.default_rng(0).normal(size=(n, 3, 1, 1)).astype(np.float32)


@pytest.mark.parametrize(("n", "batches"), [(2, [1, 1, 2]), (100, [1, 1, 1, 1, 64, 36])])
def test_singles_and_batches_go_through_the_artefact(n, batches):
    artefact, many = Artefact(), images(n)
    assert check(artefact, artefact.load(None), many, many[:, :, 0, 0]).images == n
    assert artefact.batches == batches


def test_a_relative_difference_too_large_is_refused_though_classes_agree():
    many = images(50)
    assert checked(Artefact(error=1e-4), many, many[:, :, 0, 0]).top1_agreement == 1
    with pytest.raises(ExportError, match="100.0% of 50 images.*relative difference 0.0"):
        checked(Artefact(error=0.05), many, many[:, :, 0, 0])


def test_one_other_class_is_refused_though_the_difference_is_small():
    many = images(50)
    expected = many[:, :, 0, 0].copy()
    many[7, :2] = expected[7, :2] = 9.0
    expected[7, 0] += 1e-4
    many[7, 1] += 2e-4
    with pytest.raises(ExportError, match="98.1% of 50 images"):
        checked(Artefact(), many, expected)


def test_not_a_number_is_refused():
    many = images(5)
    with pytest.raises(ExportError, match="relative difference nan"):
        checked(Artefact(error=np.nan), many, many[:, :, 0, 0])


def test_other_classes_are_refused():
    many = images(5)
    with pytest.raises(ExportError, match=r"\(9, 3\) instead of \(9, 2\)"):
        checked(Artefact(), many, many[:, :2, 0, 0])


class Eight(Artefact):
    """In eight bits, so that only what is broken is refused."""

    is_quantised = True


def test_eight_bits_may_differ_but_not_be_broken():
    many = images(50)
    expected = many[:, :, 0, 0]
    found = checked(Eight(error=0.1), many, expected)
    assert found.relative > EXACT.relative
    with pytest.raises(ExportError, match=r"at most 0\.5"):
        checked(Eight(error=10), many, expected)
    with pytest.raises(ExportError, match=r"same class on .* \(at least 80\.0%\)"):
        checked(Eight(), many, -expected)


def test_what_a_runtime_raises_becomes_one_line():
    class Broken(Artefact):
        def load(self, folder, *, threads=1):
            raise RuntimeError("bad magic\nand much more")

    with pytest.raises(ExportError, match="^echo: what was written cannot be run: bad magic$"):
        opened(Broken(), None)
