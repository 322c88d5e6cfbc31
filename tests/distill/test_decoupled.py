import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.distill.decoupled import Decoupled
from kdsearch.distill.method import Seen
from kdsearch.losses.decoupled import decoupled_kl, non_target_kl, target_kl
from kdsearch.losses.softened import softened_kl
from kdsearch.output import Output

LABELS = torch.arange(6) % 5


@pytest.fixture
def outs() -> tuple[Output, Output]:
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(6, 5, generator=generator) for _ in range(2))
    return Output(student), Output(3 * teacher)


def seen(outs: tuple[Output, Output], progress: float, labels: Tensor = LABELS) -> Seen:
    return Seen(*outs, labels, nn.Module(), progress)


def test_the_whole_loss_by_the_formulas(outs: tuple[Output, Output]) -> None:
    student, teacher = (out.logits for out in outs)
    found = Decoupled(0.7, 3.0, 2.0, labels=0.5)(seen(outs, 0.5))
    target, other = (term(student, teacher, LABELS, 2.0) for term in (target_kl, non_target_kl))
    hard = F.cross_entropy(student, LABELS)
    torch.testing.assert_close(found, 0.5 * hard + 4 * (0.7 * target + 3 * other))


def test_the_authors_schedule(outs: tuple[Output, Output]) -> None:
    """megvii-research/mdistiller, mdistiller/distillers/DKD.py: min(epoch / 20, 1) of 240
    epochs, the first of them 1, counts for the teacher's part alone."""
    student, teacher = (out.logits for out in outs)
    hard = F.cross_entropy(student, LABELS)
    soft = decoupled_kl(student, teacher, LABELS, 4.0, 1.0, 8.0)
    for epoch in (1, 7, 20, 240):
        found = Decoupled()(seen(outs, (epoch - 1) / 240))
        torch.testing.assert_close(found, hard + min(epoch / 20, 1) * soft)


def test_without_warm_up_the_teacher_counts_at_once(outs: tuple[Output, Output]) -> None:
    first, later = (Decoupled(warmup=0.0)(seen(outs, progress)) for progress in (0.0, 0.5))
    assert torch.equal(first, later)


def test_one_sample_is_the_divergence_taken_apart() -> None:
    """KL = target + (1 − the teacher's probability of the true class) · non-target."""
    generator = torch.Generator().manual_seed(1)
    outs = tuple(Output(torch.randn(1, 5, generator=generator)) for _ in range(2))
    label = torch.tensor([3])
    others = 1 - float((outs[1].logits / 2).softmax(1)[0, 3])
    method = Decoupled(1.0, others, 2.0, labels=0.0)
    expected = softened_kl(outs[0].logits, outs[1].logits, 2.0)
    torch.testing.assert_close(method(seen(outs, 1.0, label)), expected)


def test_two_classes_have_no_other(outs: tuple[Output, Output]) -> None:
    two = tuple(Output(out.logits[:, :2]) for out in outs)
    one, other = (Decoupled(beta=b)(seen(two, 0.5, LABELS % 2)) for b in (1.0, 8.0))
    assert torch.equal(one, other) and bool(one.isfinite())


def test_defaults_are_the_authors() -> None:
    """megvii-research/mdistiller, mdistiller/engine/cfg.py."""
    method = Decoupled()
    assert (method.labels, method.alpha, method.beta, method.temperature) == (
        1.0,
        1.0,
        8.0,
        4.0,
    )
    assert method.warmup == pytest.approx(20 / 240)
    assert method.needs.teacher == ("logits",)
