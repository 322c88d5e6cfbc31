import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kdsearch.distill.method import Seen
from kdsearch.distill.standardized import Standardized
from kdsearch.losses.decoupled import decoupled_kl
from kdsearch.losses.softened import softened_kl
from kdsearch.losses.standardized import standardized
from kdsearch.losses.warm_up import PUBLISHED
from kdsearch.output import Output

LABELS = torch.arange(6) % 5


@pytest.fixture
def outs() -> tuple[Output, Output]:
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(6, 5, generator=generator) for _ in range(2))
    return Output(student.requires_grad_()), Output(3 * teacher + 1)


def seen(student: Output, teacher: Output, progress: float = 0.0) -> Seen:
    return Seen(student, teacher, LABELS, nn.Module(), progress)


def test_the_whole_loss_by_the_formulas(outs: tuple[Output, Output]) -> None:
    student, teacher = outs
    shapes = standardized(student.logits), standardized(teacher.logits)
    expected = 0.1 * F.cross_entropy(student.logits, LABELS) + 9 * softened_kl(*shapes, 2.0)
    torch.testing.assert_close(Standardized()(seen(student, teacher)), expected)


def test_by_hand() -> None:
    """Two classes of any logits are ±1/√2 standardised; the student says 0, the teacher 1:
    KL of (p, 1 − p) and (1 − p, p), p = σ(√2 / T), is (2p − 1) · √2 / T."""
    student, teacher = Output(torch.tensor([[5.0, 1.0]])), Output(torch.tensor([[-3.0, 0.0]]))
    shown = Seen(student, teacher, torch.tensor([0]), nn.Module())
    p = 1 / (1 + math.exp(-math.sqrt(2) / 2))
    divergence = (2 * p - 1) * math.sqrt(2) / 2
    expected = 0.1 * math.log(1 + math.exp(-4)) + 9 * 4 * divergence
    assert float(Standardized()(shown)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("progress", "factor"), [(0.0, 1 / 20), (9 / 240, 0.5), (0.5, 1.0)])
def test_on_top_of_the_decoupled_loss(
    outs: tuple[Output, Output], progress: float, factor: float
) -> None:
    """The authors multiply alpha and beta by the weight and take T = 2; labels and warm-up are
    the decoupled loss's (sunshangquan/logit-standardization-KD, tools/train.py, DKD.py)."""
    student, teacher = outs
    method = Standardized(base="decoupled", alpha=1.5, beta=4.0)
    shapes = standardized(student.logits), standardized(teacher.logits)
    soft = decoupled_kl(*shapes, LABELS, 2.0, 9 * 1.5, 9 * 4.0)
    expected = F.cross_entropy(student.logits, LABELS) + factor * soft
    torch.testing.assert_close(method(seen(student, teacher, progress)), expected)


@pytest.mark.parametrize("base", Standardized.options.axes["base"].values)
def test_mean_and_scale_of_the_logits_do_not_count(
    outs: tuple[Output, Output], base: str
) -> None:
    student, teacher = outs
    method = Standardized(base=base)
    moved = Output(5 * teacher.logits - 7)
    usual, other = (method(seen(student, taught)) for taught in (teacher, moved))
    torch.testing.assert_close(other, usual)


@pytest.mark.parametrize("base", Standardized.options.axes["base"].values)
def test_constant_logits_have_no_shape(outs: tuple[Output, Output], base: str) -> None:
    flat = torch.zeros(6, 5, requires_grad=True)
    method = Standardized(base=base)
    method(seen(Output(flat), outs[1], 0.5)).backward()
    hard = torch.zeros(6, 5, requires_grad=True)
    share = {"soften": 0.1, "decoupled": 1.0}[base]
    (share * F.cross_entropy(hard, LABELS)).backward()
    torch.testing.assert_close(flat.grad, hard.grad)


def test_defaults_are_the_authors() -> None:
    """sunshangquan/logit-standardization-KD, README.md: --base-temp 2 --kd-weight 9; the
    decoupled loss's own as in megvii-research/mdistiller, mdistiller/engine/cfg.py."""
    method = Standardized()
    assert (method.temperature, method.weight, method.base) == (2.0, 9.0, "soften")
    assert (method.alpha, method.beta, method.warmup) == (1.0, 8.0, PUBLISHED)
    assert method.needs.teacher == ("logits",)
