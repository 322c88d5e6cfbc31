import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.distill.method import Seen
from kdsearch.distill.similarity import Similarity
from kdsearch.losses.similarity import similarity_distance
from kdsearch.output import Output, detached


def output(seed: int, width: int, size: int, batch: int = 6) -> Output:
    """Two maps, the deeper of so many pixels a side, and pooled features of their own."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator).requires_grad_()

    feats = normal(width, 2 * size, 2 * size), normal(2 * width, size, size)
    return Output(normal(4), feats, normal(2 * width))


def seen(student: Output, teacher: Output) -> Seen:
    labels = torch.arange(len(student.logits)) % 4
    return Seen(student, detached(teacher), labels, nn.Module())


@pytest.fixture
def shown() -> Seen:
    """Maps of other sizes and widths."""
    return seen(output(0, 3, 2), output(1, 5, 3))


def test_the_whole_loss_by_the_formulas(shown: Seen) -> None:
    maps = (out.feats[-1].flatten(1) for out in (shown.student, shown.taught))
    expected = 0.5 * F.cross_entropy(shown.logits, shown.labels) + 70 * similarity_distance(
        *maps
    )
    found = Similarity(70.0, labels=0.5, reduction="mean")(shown)
    torch.testing.assert_close(found, expected)


def test_of_pooled_features(shown: Seen) -> None:
    method = Similarity(70.0, labels=0.0, features="pooled", reduction="mean")
    distance = similarity_distance(shown.pooled, shown.teacher_pooled)
    torch.testing.assert_close(method(shown), 70 * distance)
    assert method.needs.teacher == ("pooled",) and method.needs.student == ("logits", "pooled")


def test_at_a_batch_of_64_both_reductions_agree() -> None:
    shown = seen(output(0, 3, 2, 64), output(1, 5, 3, 64))
    one, other = (Similarity(reduction=reduction)(shown) for reduction in ("mean", "batchmean"))
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("batch", [1, 6, 100])
def test_the_weight_of_a_mean_is_converted_by_the_batch(batch: int) -> None:
    shown = seen(output(0, 3, 2, batch), output(1, 5, 3, batch))
    mean = Similarity(3000.0 * batch / 64, reduction="mean")(shown)
    torch.testing.assert_close(Similarity(3000.0, reduction="batchmean")(shown), mean)


def test_summed_rows_do_not_depend_on_the_batch() -> None:
    """Every image twice: rows of similarities twice as long, normalised, and twice as many."""

    def doubled(out: Output) -> Output:
        return Output(*(torch.cat([t, t]) if isinstance(t, Tensor) else t for t in out))

    student, teacher = output(0, 3, 2), output(1, 5, 3)
    once, twice = seen(student, teacher), seen(doubled(student), doubled(teacher))
    summed = Similarity(labels=0.0, features="pooled")
    mean = Similarity(labels=0.0, features="pooled", reduction="mean")
    torch.testing.assert_close(summed(twice), summed(once))
    torch.testing.assert_close(2 * mean(twice), mean(once))


def test_defaults_are_mdistillers() -> None:
    """megvii-research/mdistiller, mdistiller/engine/cfg.py and distillers/SP.py; the reduction,
    the same at its batch of 64, is ours."""
    method = Similarity()
    assert (method.labels, method.weight, method.features) == (1.0, 3000.0, "map")
    assert method.reduction == "batchmean"
    assert method.needs.teacher == ("feats",) and method.needs.student == ("logits", "feats")
