from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kdsearch.distill.method import Seen
from kdsearch.distill.relational import Relational
from kdsearch.errors import UserError
from kdsearch.losses.relational import angle_distance, distance_distance
from kdsearch.nets.taps import Tapped
from kdsearch.output import Output
from kdsearch.training.distillation import Distillation


def output(seed: int, features: int, batch: int = 6) -> Output:
    generator = torch.Generator().manual_seed(seed)
    logits, pooled = (torch.randn(batch, size, generator=generator) for size in (4, features))
    return Output(logits.requires_grad_(), (), pooled.requires_grad_())


def seen(student: Output, teacher: Output) -> Seen:
    labels = torch.arange(len(student.logits)) % 4
    return Seen(student, Output(None, (), teacher.pooled.detach()), labels, nn.Module())


def test_the_whole_loss_by_the_formulas() -> None:
    shown = seen(output(0, 5), output(1, 9))
    distances = distance_distance(shown.pooled, shown.teacher_pooled)
    angles = angle_distance(shown.pooled, shown.teacher_pooled)
    hard = F.cross_entropy(shown.logits, shown.labels)
    found = Relational(distance=7.0, angle=30.0, labels=0.5)(shown)
    torch.testing.assert_close(found, 0.5 * hard + 7 * distances + 30 * angles)


@pytest.mark.parametrize("limit", [32, 64, 128])
def test_angles_are_of_the_first_images_alone(limit: int) -> None:
    """Distances are of all; those past the limit reach the loss by them."""
    student, teacher = output(0, 3, limit + 4), output(1, 5, limit + 4)
    Relational(distance=1.0, limit=limit, labels=0.0)(seen(student, teacher)).backward()
    both = student.pooled.grad.clone()
    student.pooled.grad = None
    distance_distance(student.pooled, teacher.pooled.detach()).backward()
    of_distances = student.pooled.grad
    torch.testing.assert_close(both[limit:], of_distances[limit:])
    assert not torch.allclose(both[:limit], of_distances[:limit])


def test_the_largest_tensors_of_a_large_batch_are_bounded() -> None:
    """Batch² numbers for distances; triples, of few images, keep nothing larger for the
    backward pass."""
    limit, sizes = 32, []

    def noted(tensor: torch.Tensor) -> torch.Tensor:
        sizes.append(tensor.numel())
        return tensor

    shown = seen(output(0, 8, 300), output(1, 8, 300))
    with torch.autograd.graph.saved_tensors_hooks(noted, lambda tensor: tensor):
        Relational(limit=limit)(shown)
    assert max(sizes) == 300**2 > limit**3


def test_one_image_is_related_to_none() -> None:
    shown = seen(output(0, 5, 1), output(1, 9, 1))
    hard = F.cross_entropy(shown.logits, shown.labels)
    torch.testing.assert_close(Relational()(shown), hard)


def test_a_teacher_without_pooled_features_is_told_so(
    taught: Callable[..., Distillation],
) -> None:
    flat = Tapped(nn.Sequential(nn.Flatten(), nn.Linear(64, 4)), (), None)
    with pytest.raises(UserError, match="needs pooled of the teacher"):
        taught(Relational(), flat)


def test_defaults_are_mdistillers() -> None:
    """megvii-research/mdistiller, mdistiller/engine/cfg.py; its batches of 64 are whole."""
    method = Relational()
    assert (method.labels, method.distance, method.angle) == (1.0, 25.0, 50.0)
    assert method.limit >= 64
    assert method.needs.teacher == ("pooled",) and method.needs.student == ("logits", "pooled")
