import math

import pytest
import torch
from torch import Tensor, nn

from kdsearch.distill.hard import Hard
from kdsearch.distill.method import Seen
from kdsearch.distill.soften import Soften
from kdsearch.losses.softened import softened_kl
from kdsearch.output import Output

LABELS = torch.arange(6) % 5


def seen(student: Output, teacher: Output | None, labels: Tensor = LABELS) -> Seen:
    return Seen(student, teacher, labels, nn.Module())


@pytest.fixture
def outs() -> tuple[Output, Output]:
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(6, 5, generator=generator) for _ in range(2))
    return Output(student), Output(3 * teacher)


def test_weight_zero_is_the_labels_alone(outs: tuple[Output, Output]) -> None:
    student, teacher = outs
    loss = Soften(temperature=4.0, weight=0.0)(seen(student, teacher))
    torch.testing.assert_close(loss, Hard()(seen(student, None)))


def test_weight_one_is_the_teacher_alone(outs: tuple[Output, Output]) -> None:
    student, teacher = outs
    loss = Soften(temperature=4.0, weight=1.0)(seen(student, teacher))
    torch.testing.assert_close(loss, softened_kl(student.logits, teacher.logits, 4.0))
    other = Soften(temperature=4.0, weight=1.0)(seen(student, teacher, LABELS.flip(0)))
    assert torch.equal(loss, other)


def test_by_hand() -> None:
    """One image, two classes, T = 2, weight 0.9: student (1/2, 1/2) and label 0, teacher
    (3/4, 1/4) at T: 0.1 · ln 2 + 0.9 · 4 · KL."""
    student, teacher = Output(torch.zeros(1, 2)), Output(torch.tensor([[2 * math.log(3.0), 0]]))
    loss = Soften(temperature=2.0, weight=0.9)(seen(student, teacher, torch.tensor([0])))
    divergence = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert float(loss) == pytest.approx(0.1 * math.log(2) + 0.9 * 4 * divergence)


def test_defaults_are_those_of_the_tables() -> None:
    """T = 4, weight 0.9 (Tian et al., 2020, arXiv:1910.10699)."""
    assert (Soften().temperature, Soften().weight) == (4.0, 0.9)
    assert Soften().needs.teacher == ("logits",)
