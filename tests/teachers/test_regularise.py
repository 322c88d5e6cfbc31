"""Memory and weights of the SoTeacher terms."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from kdsearch.errors import UserError
from kdsearch.losses.lipschitz import lipschitz
from kdsearch.output import Output
from kdsearch.teachers.regularise import SOTEACHER, Memory, Regularisers, Weights
from kdsearch.teachers.task import Heard
from kdsearch.teachers.terms import regularisers
from kdsearch.teachers.training import Course, Shaping
from kdsearch.training.task import Batch

NETWORK = nn.Linear(2, 2)


def heard(logits: torch.Tensor, progress: float, at: torch.Tensor | None) -> Heard:
    labels = torch.zeros(len(logits), dtype=torch.int64)
    batch = Batch(torch.zeros(len(logits), 1, 2, 2), labels, 0, progress, False, at)
    return Heard(NETWORK, Output(logits), logits, batch)


def test_memory_is_each_images_own_mean() -> None:
    memory = Memory(4, 2)
    said = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    assert float(memory(said, torch.tensor([0, 2]))) == 0  # nothing was said before
    other = torch.tensor([[0.0, 1.0], [0.5, 0.5]])
    found = memory(other, torch.tensor([0, 3]))  # image 3 for the first time
    assert float(found) == pytest.approx((1 + 1) / 2)
    assert memory.mean.tolist() == [[0.5, 0.5], [0, 0], [0.5, 0.5], [0.5, 0.5]]
    memory(torch.tensor([[0.8, 0.2]]), torch.tensor([0]))
    assert memory.mean[0].tolist() == pytest.approx([0.6, 0.4])  # (1 + 0 + 0.8) / 3
    assert memory.shown.tolist() == [3, 0, 1, 1]


def test_the_weight_rises_with_progress() -> None:
    at = torch.tensor([0])
    for progress in (0.0, 0.25, 0.5):
        term = Regularisers(Weights(0.0, 2.0), 1, 2)
        term(heard(torch.zeros(1, 2), 0.0, at))
        found = term(heard(torch.tensor([[100.0, 0.0]]), progress, at))
        assert float(found) == pytest.approx(2.0 * progress * 0.5)


def test_the_bound_is_the_networks() -> None:
    term = Regularisers(Weights(0.5, 0.0), 1, 2)
    assert term.memory is None and not term.state_dict()
    found = term(heard(torch.zeros(1, 2), 0.0, None))  # and it asks for no positions
    assert float(found.detach()) == pytest.approx(0.5 * float(lipschitz(NETWORK).detach()))


def test_images_without_positions_are_refused_in_one_line() -> None:
    term = Regularisers(Weights(0.0, 1.0), 1, 2)
    with pytest.raises(UserError, match="which image is which.*teacher.consistency: 0"):
        term(heard(torch.zeros(1, 2), 0.0, None))


def test_weights_asked_for_replace_the_usual_ones(course: Course) -> None:
    (usual,) = regularisers(course, SOTEACHER)
    assert usual.weights == (1e-5, 1.0) and usual.memory.mean.shape == (60, 3)
    asked = replace(course, shaping=Shaping(lipschitz=1e-3, consistency=0.0))
    (changed,) = regularisers(asked, SOTEACHER)
    assert changed.weights == (1e-3, 0.0)
    assert regularisers(course) == []
    assert regularisers(replace(course, shaping=Shaping(lipschitz=0.0))) == []
