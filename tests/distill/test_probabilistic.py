import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kdsearch.distill.method import Seen
from kdsearch.distill.probabilistic import Probabilistic
from kdsearch.losses.probabilistic import probabilistic_kl
from kdsearch.output import Output


def output(seed: int, features: int, batch: int = 6) -> Output:
    generator = torch.Generator().manual_seed(seed)
    logits, pooled = (torch.randn(batch, size, generator=generator) for size in (4, features))
    return Output(logits.requires_grad_(), (), pooled.requires_grad_())


def seen(batch: int = 6) -> Seen:
    """Pooled features of other widths; the teacher gives nothing else."""
    teacher = Output(
        None, (), torch.randn(batch, 9, generator=torch.Generator().manual_seed(1))
    )
    return Seen(output(0, 5, batch), teacher, torch.arange(batch) % 4, nn.Module())


def test_the_whole_loss_by_the_formulas() -> None:
    shown = seen()
    hard = F.cross_entropy(shown.logits, shown.labels)
    divergence = probabilistic_kl(shown.pooled, shown.teacher_pooled)
    found = Probabilistic(700.0, labels=0.5, reduction="mean")(shown)
    torch.testing.assert_close(found, 0.5 * hard + 700 * divergence)


def test_at_a_batch_of_64_both_reductions_agree() -> None:
    shown = seen(64)
    one, other = (Probabilistic(reduction=r)(shown) for r in ("mean", "batchmean"))
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("batch", [1, 6, 100])
def test_the_weight_of_a_mean_is_converted_by_the_batch(batch: int) -> None:
    shown = seen(batch)
    mean = Probabilistic(30_000.0 * batch / 64, reduction="mean")(shown)
    torch.testing.assert_close(Probabilistic(30_000.0, reduction="batchmean")(shown), mean)


def test_summed_rows_hardly_depend_on_the_batch() -> None:
    """Every image twice: each row's probabilities are halved and there are twice as many; the
    constant beside them makes a difference of about 1e-6 of them."""
    once = seen()
    doubled = [torch.cat([t.detach(), t.detach()]) for t in (once.logits, once.pooled)]
    taught = torch.cat([once.teacher_pooled, once.teacher_pooled])
    twice = Seen(
        Output(doubled[0], (), doubled[1]),
        Output(None, (), taught),
        torch.cat([once.labels, once.labels]),
        nn.Module(),
    )
    summed, mean = (Probabilistic(labels=0.0, reduction=r) for r in ("batchmean", "mean"))
    torch.testing.assert_close(summed(twice), summed(once), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(2 * mean(twice), mean(once), rtol=1e-4, atol=1e-4)


def test_one_image_resembles_none_but_itself() -> None:
    shown = seen(1)
    hard = F.cross_entropy(shown.logits, shown.labels)
    torch.testing.assert_close(Probabilistic()(shown), hard)


def test_defaults_are_mdistillers() -> None:
    """megvii-research/mdistiller, mdistiller/engine/cfg.py; the reduction, the same at its
    batch of 64, is ours."""
    method = Probabilistic()
    assert (method.labels, method.weight) == (1.0, 30_000.0)
    assert method.reduction == "batchmean"
    assert method.needs.teacher == ("pooled",) and method.needs.student == ("logits", "pooled")
