import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kdsearch.distill.dist import DIST
from kdsearch.distill.method import Seen
from kdsearch.losses.pearson import inter_class_distance, intra_class_distance
from kdsearch.output import Output

LABELS = torch.arange(6) % 5


@pytest.fixture
def outs() -> tuple[Output, Output]:
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(6, 5, generator=generator) for _ in range(2))
    return Output(student), Output(3 * teacher)


def seen(student: Output, teacher: Output) -> Seen:
    return Seen(student, teacher, LABELS[: len(student.logits)], nn.Module())


def test_the_whole_loss_by_the_formulas(outs: tuple[Output, Output]) -> None:
    student, teacher = (out.logits for out in outs)
    found = DIST(beta=0.7, gamma=3.0, tau=2.0, labels=0.5)(seen(*outs))
    inter = inter_class_distance(student, teacher, 2.0)
    intra = intra_class_distance(student, teacher, 2.0)
    hard = F.cross_entropy(student, LABELS)
    torch.testing.assert_close(found, 0.5 * hard + 2 * (0.7 * inter + 3 * intra))


def test_one_image_has_no_correlation_over_images(outs: tuple[Output, Output]) -> None:
    alone = tuple(Output(out.logits[:1]) for out in outs)
    one, other = (DIST(gamma=gamma)(seen(*alone)) for gamma in (0.5, 4.0))
    assert torch.equal(one, other)


def test_agreement_leaves_the_labels_alone(outs: tuple[Output, Output]) -> None:
    """Up to the constant beside the lengths, at T² = 16."""
    student, _ = outs
    found = DIST()(seen(student, student))
    torch.testing.assert_close(
        found, F.cross_entropy(student.logits, LABELS), rtol=0, atol=1e-3
    )


def test_defaults_are_the_authors_for_cifar_100() -> None:
    """hunto/image_classification_sota, lib/models/losses/kd_loss.py (1 and 2) and
    configs/strategies/distill/dist_cifar.yaml (`dist_t4`)."""
    method = DIST()
    assert (method.labels, method.beta, method.gamma, method.tau) == (1.0, 1.0, 1.0, 4.0)
    assert method.needs.teacher == ("logits",)
