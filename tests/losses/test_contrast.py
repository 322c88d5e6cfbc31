import math

import pytest
import torch
from torch import Tensor

from kdsearch.losses.contrast import supervised_contrast
from kdsearch.losses.directions import directions

LABELS = torch.tensor([0, 1, 0]).repeat_interleave(4)
"""Three images in four views, image by image."""


@pytest.mark.parametrize(("labels", "value"), [(LABELS, 13.9166269726), (None, 4.88519547192)])
def test_golden_values(waves, labels: Tensor | None, value: float) -> None:
    """SupConLoss(0.07) of DLKD (ifding/DLKD, helper/losses.py), its embeddings the rows over
    their lengths."""
    student, teacher = directions(waves((12, 12), 0.1)), directions(waves((12, 12), 0.9))
    found = supervised_contrast(student, teacher, labels)
    assert float(found) == pytest.approx(value, rel=1e-6)


def test_golden_gradient(waves) -> None:
    """Of the first, with respect to the rows before they are scaled: norm, first element."""
    student = waves((12, 12), 0.1).requires_grad_()
    supervised_contrast(
        directions(student), directions(waves((12, 12), 0.9)), LABELS
    ).backward()
    assert float(student.grad.norm()) == pytest.approx(0.4640765128, rel=1e-6)
    assert float(student.grad[0, 0]) == pytest.approx(-0.021150744, rel=1e-6)


def test_by_hand() -> None:
    """Two images on the axes, both networks alike, temperature 1: each anchor sees its
    counterpart at cosine 1 and two others at 0."""
    rows = torch.eye(2, dtype=torch.float64)
    expected = math.log(math.e + 2) - 1
    found = supervised_contrast(rows, rows, torch.tensor([0, 1]), temperature=1.0)
    assert float(found) == pytest.approx(expected, rel=1e-6)
    together = supervised_contrast(rows, rows, torch.tensor([3, 3]), temperature=1.0)
    assert float(together) == pytest.approx(math.log(math.e + 2) - 1 / 3, rel=1e-6)


def test_without_labels_every_image_is_a_class(waves) -> None:
    student, teacher = directions(waves((6, 5), 0.1)), directions(waves((6, 5), 0.9))
    torch.testing.assert_close(
        supervised_contrast(student, teacher, None),
        supervised_contrast(student, teacher, torch.arange(6) + 10),
    )


def test_the_networks_and_the_images_may_change_places(waves) -> None:
    student, teacher = directions(waves((6, 5), 0.1)), directions(waves((6, 5), 0.9))
    labels, order = torch.tensor([0, 1, 1, 2, 0, 1]), torch.tensor([3, 0, 1, 5, 2, 4])
    found = supervised_contrast(student, teacher, labels)
    torch.testing.assert_close(supervised_contrast(teacher, student, labels), found)
    torch.testing.assert_close(
        supervised_contrast(student[order], teacher[order], labels[order]), found
    )


def test_classes_apart_cost_less(waves) -> None:
    rows = directions(torch.tensor([[1.0, 0.1], [1.0, -0.1], [-1.0, 0.1], [-1.0, -0.1]]))
    apart = supervised_contrast(rows, rows, torch.tensor([0, 0, 1, 1]))
    mixed = supervised_contrast(rows, rows, torch.tensor([0, 1, 0, 1]))
    assert float(apart) < 2 < float(mixed)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("value", [0.0, 0.5])
@pytest.mark.parametrize("labelled", [True, False])
def test_degenerate_batches_are_defined(batch: int, value: float, labelled: bool) -> None:
    """Rows of zeros, equal rows, one image, classes with one image."""
    student = torch.full((batch, 4), value, requires_grad=True)
    labels = torch.arange(batch) if labelled else None
    found = supervised_contrast(student, torch.full((batch, 4), 0.5), labels)
    found.backward()
    assert found.isfinite() and student.grad.isfinite().all()


def test_one_image_costs_nothing_if_the_networks_agree() -> None:
    row = torch.tensor([[0.6, 0.8]], dtype=torch.float64)
    assert float(supervised_contrast(row, row, None)) == pytest.approx(0, abs=1e-6)
