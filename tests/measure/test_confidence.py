"""Calibration error and entropy, by hand."""

import math

import pytest
import torch

from kdsearch.measure.confidence import calibration_error, mean_entropy


def scores(sure: list[float]) -> torch.Tensor:
    """Logits of two classes, of the first of which the network is so sure."""
    p = torch.tensor(sure)
    return torch.stack([p, 1 - p], 1).log()


def test_calibration_error_is_the_gap_within_each_bin() -> None:
    """0.9 and 0.88 are one bin, of which half is right; 0.6 is one of its own, and right."""
    found = calibration_error(scores([0.9, 0.88, 0.6]), torch.tensor([0, 1, 0]))
    assert found == pytest.approx((0.78 + 0.4) / 3, rel=1e-5)


def test_being_as_right_as_sure_is_no_error() -> None:
    right = torch.tensor([0, 0, 0, 1])
    assert calibration_error(scores([0.75] * 4), right) == pytest.approx(0, abs=1e-6)
    certain = torch.tensor([[100.0, 0.0]])
    assert calibration_error(certain, torch.tensor([0])) == 0
    assert calibration_error(certain, torch.tensor([1])) == pytest.approx(1)


def test_entropy_in_nats() -> None:
    assert mean_entropy(torch.zeros(3, 4)) == pytest.approx(math.log(4))
    assert mean_entropy(torch.tensor([[1e4, 0.0]])) == 0
    assert mean_entropy(scores([0.5, 1.0 - 1e-7])) == pytest.approx(math.log(2) / 2, abs=1e-4)
