"""The consistency term of SoTeacher, by hand."""

import pytest
import torch

from kdsearch.losses.consistency import consistency

SAID = torch.tensor([[0.5, 0.5], [0.2, 0.8], [1.0, 0.0]], dtype=torch.float64)
BEFORE = torch.tensor([[0.1, 0.9], [0.2, 0.8], [0.0, 1.0]], dtype=torch.float64)


def test_sum_over_classes_mean_over_the_batch() -> None:
    """(0.16 + 0.16) + 0 + (1 + 1), over three images."""
    known = torch.tensor([True, True, True])
    assert float(consistency(SAID, BEFORE, known)) == pytest.approx(2.32 / 3, rel=1e-6)


def test_images_not_seen_before_count_nothing() -> None:
    known = torch.tensor([True, True, False])
    said = SAID.clone().requires_grad_()
    loss = consistency(said, BEFORE, known)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0.32 / 3, rel=1e-6)
    assert said.grad is not None and said.grad[2].tolist() == [0, 0]
    assert said.grad[0].tolist() == pytest.approx([0.8 / 3, -0.8 / 3])
