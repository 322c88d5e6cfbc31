import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kdsearch.distill.method import Seen
from kdsearch.distill.nkd import NKD
from kdsearch.losses.non_target import normalized_kd
from kdsearch.output import Output

LABELS = torch.arange(6) % 5


@pytest.fixture
def outs() -> tuple[Output, Output]:
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(6, 5, generator=generator) for _ in range(2))
    return Output(student), Output(3 * teacher)


def test_the_whole_loss_by_the_formulas(outs: tuple[Output, Output]) -> None:
    student, teacher = (out.logits for out in outs)
    found = NKD(temperature=2.0, gamma=0.7, labels=0.5)(Seen(*outs, LABELS, nn.Module()))
    soft = normalized_kd(student, teacher, LABELS, 2.0, 0.7)
    torch.testing.assert_close(found, 0.5 * F.cross_entropy(student, LABELS) + soft)


def test_by_hand() -> None:
    """One image, label 0. Student uniform over three classes; the teacher (1/2, 1/4, 1/4):
    ln 3 + 1/2 · ln 3 + gamma · T² · ln 2."""
    student = Output(torch.zeros(1, 3))
    teacher = Output(torch.tensor([[0.5, 0.25, 0.25]]).log())
    found = NKD(temperature=2.0, gamma=1.5)(
        Seen(student, teacher, torch.tensor([0]), nn.Module())
    )
    assert float(found) == pytest.approx(1.5 * math.log(3) + 1.5 * 4 * math.log(2))


def test_two_classes_have_no_other(outs: tuple[Output, Output]) -> None:
    two = (Output(out.logits[:, :2]) for out in outs)
    shown = Seen(*two, LABELS % 2, nn.Module())
    one, other = (NKD(gamma=gamma)(shown) for gamma in (0.5, 4.0))
    assert torch.equal(one, other) and bool(one.isfinite())


def test_defaults_are_the_authors_for_cifar_100() -> None:
    """yzd-v/cls_KD, configs/distillers/cifar100/res34_distill_res18_cifar.py."""
    method = NKD()
    assert (method.temperature, method.gamma, method.labels) == (3.0, 3.5, 1.0)
    assert method.needs.teacher == ("logits",)
