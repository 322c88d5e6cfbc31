from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.distill.attention import Attention
from kdsearch.distill.method import Seen
from kdsearch.errors import UserError
from kdsearch.losses.attention import attention_distance
from kdsearch.nets.taps import Tapped
from kdsearch.output import Output, detached
from kdsearch.training.distillation import Distillation

LABELS = torch.arange(6) % 4


def output(seed: int, width: int, sizes: tuple[int, ...]) -> Output:
    """A map of each size, shallow to deep."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).requires_grad_()

    return Output(normal(6, 4), tuple(normal(6, width << s, n, n) for s, n in enumerate(sizes)))


def seen(student: Output, teacher: Output) -> Seen:
    return Seen(student, detached(teacher), LABELS, nn.Module())


@pytest.mark.parametrize(
    ("layers", "pairs"),
    [
        ("stage-end", [(0, 1), (1, 2), (2, 3)]),
        ("relative-depth", [(0, 0), (1, 2), (2, 3)]),
        ("last", [(2, 3)]),
    ],
)
def test_the_whole_loss_by_the_formulas(layers: str, pairs: list[tuple[int, int]]) -> None:
    """A student of three maps, a teacher of four, as torchvision's ResNets have."""
    student, teacher = output(0, 2, (8, 4, 2)), output(1, 3, (14, 7, 4, 2))
    method = Attention(300.0, labels=0.5, layers=layers, reduction="mean")
    total = sum(attention_distance(student.feats[i], teacher.feats[j]) for i, j in pairs)
    expected = 0.5 * F.cross_entropy(student.logits, LABELS) + 300 * total
    torch.testing.assert_close(method(seen(student, teacher)), expected)


@pytest.mark.parametrize("deeper", [8, 12])
def test_with_deepest_maps_of_8_px_both_reductions_agree(deeper: int) -> None:
    """The authors' ResNets on CIFAR-100; the larger map of a pair is averaged down."""
    student, teacher = output(0, 2, (32, 16, 8)), output(1, 3, (32, 16, deeper))
    one, other = (
        Attention(reduction=reduction)(seen(student, teacher))
        for reduction in ("mean", "batchmean")
    )
    torch.testing.assert_close(one, other)


def test_summed_over_places_the_loss_does_not_depend_on_the_size() -> None:
    """Each pixel four times: the same attention, four times the places, no other loss."""

    def larger(out: Output) -> Output:
        return out._replace(
            feats=tuple(f.repeat_interleave(2, 2).repeat_interleave(2, 3) for f in out.feats)
        )

    outs = output(0, 2, (8, 4, 2)), output(1, 3, (8, 4, 2))
    summed, mean = (Attention(reduction=r) for r in ("batchmean", "mean"))
    small, large = seen(*outs), seen(*map(larger, outs))
    torch.testing.assert_close(summed(large), summed(small))
    assert mean(large).item() < 0.5 * mean(small).item()


def test_gradients_reach_every_paired_map_of_the_student() -> None:
    student, teacher = output(0, 2, (8, 4, 2)), output(1, 3, (4, 2))
    Attention(labels=0.0)(seen(student, teacher)).backward()
    reached = [f.grad is not None and bool(f.grad.any()) for f in student.feats]
    assert reached == [False, True, True]
    assert all(f.grad is None for f in teacher.feats)


def test_a_teacher_without_maps_is_told_so(
    taught: Callable[..., Distillation],
) -> None:
    flat = Tapped(nn.Sequential(nn.Flatten(), nn.Linear(64, 4)), (), None)
    with pytest.raises(UserError, match="needs feats of the teacher"):
        taught(Attention(), flat)


def test_defaults_are_mdistillers() -> None:
    """megvii-research/mdistiller, mdistiller/engine/cfg.py; the reduction is ours."""
    method = Attention()
    assert (method.labels, method.weight, method.layers) == (1.0, 1000.0, "stage-end")
    assert method.reduction == "batchmean"
    assert method.needs.teacher == ("feats",) and method.needs.parts is None
