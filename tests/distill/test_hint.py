import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor

from kdsearch.distill.hint import Hint
from kdsearch.distill.method import Probe, Seen
from kdsearch.nets.projection import Projection
from kdsearch.nets.resnet import ResNet
from kdsearch.nets.taps import tap
from kdsearch.output import Output, detached

LABELS = torch.arange(6) % 4


def output(seed: int, width: int, sizes: tuple[int, ...]) -> Output:
    """A map of each size, shallow to deep, twice as wide each time."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).requires_grad_()

    return Output(normal(6, 4), tuple(normal(6, width << s, n, n) for s, n in enumerate(sizes)))


def seen(method: Hint, student: Output, teacher: Output) -> Seen:
    teacher = detached(teacher)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        parts = method.projection(Probe(student, teacher, 4, 90, 6))
    return Seen(student, teacher, LABELS, parts)


@pytest.mark.parametrize(
    ("layers", "sizes", "pair"),
    [
        ("stage-end", (16, 8, 4), (1, 1)),
        ("stage-end", (16, 8, 4, 2), (1, 2)),
        ("stage-end", (8, 4), (1, 0)),
        ("relative-depth", (16, 8, 4, 2), (1, 2)),
        ("relative-depth", (16, 4), (1, 0)),
        ("last", (16, 8, 4, 2), (2, 3)),
    ],
)
def test_the_whole_loss_by_the_formulas(
    layers: str, sizes: tuple[int, ...], pair: tuple[int, int]
) -> None:
    """A student of three maps, 8, 4 and 2 px, and teachers of as many, of more and of fewer."""
    method = Hint(30.0, labels=0.5, layers=layers)
    student, teacher = output(0, 2, (8, 4, 2)), output(1, 3, sizes)
    shown = seen(method, student, teacher)
    learner, hint = student.feats[pair[0]], teacher.feats[pair[1]]
    projected = shown.parts(learner)
    assert projected.shape == hint.shape
    expected = (
        0.5 * F.cross_entropy(student.logits, LABELS) + 30 * (projected - hint).square().mean()
    )
    torch.testing.assert_close(method(shown), expected)


def test_gradients_reach_the_pair_below_and_the_projection() -> None:
    method = Hint(labels=0.0)
    student, teacher = output(0, 2, (8, 4, 2)), output(1, 3, (8, 4, 2))
    shown = seen(method, student, teacher)
    method(shown).backward()
    reached = [f.grad is not None and bool(f.grad.any()) for f in student.feats]
    assert reached == [False, True, False]
    assert all(p.grad is not None and bool(p.grad.any()) for p in shown.parts.parameters())


def test_the_projection_serves_a_narrower_student() -> None:
    """The weights of the channels that it lacks get no gradient."""
    method = Hint(labels=0.0)
    shown = seen(method, output(0, 4, (8, 4, 2)), output(1, 3, (8, 4, 2)))
    narrow = output(2, 3, (8, 4, 2))
    method(shown._replace(student=narrow)).backward()
    (weight,) = (p for p in shown.parts.parameters() if p.ndim == 4)
    assert bool(weight.grad[:, :6].any()) and not weight.grad[:, 6:].any()


def test_a_teacher_of_torchvision() -> None:
    """A ResNet-18 gives four maps, our student three: its second learns from the third."""
    teacher = tap(torchvision.models.resnet18(weights=None), torch.zeros(2, 3, 64, 64))
    student = ResNet([(4, 1), (6, 1), (8, 1)], 3, 4)
    method, images = Hint(), torch.randn(6, 3, 64, 64)
    with torch.no_grad():
        taught = teacher.eval()(images)
    shown = seen(method, student(images), taught)
    expected = tuple(taught.feats[-2].shape)
    assert shown.parts(shown.student.feats[1]).shape == expected
    method(shown).backward()
    assert student.stages[1][0].conv1.weight.grad is not None


def test_defaults_are_mdistillers() -> None:
    """megvii-research/mdistiller, mdistiller/engine/cfg.py: weight 100, HINT_LAYER 2 of stem,
    first, second and third stage."""
    method = Hint()
    assert (method.labels, method.weight, method.layers) == (1.0, 100.0, "stage-end")
    assert method.needs.teacher == ("feats",) and method.needs.student == ("logits", "feats")
    student, teacher = output(0, 2, (8, 4, 2)), output(1, 3, (8, 4, 2))
    assert method.middle(student.feats, teacher.feats) == (student.feats[1], teacher.feats[1])
    assert isinstance(seen(method, student, teacher).parts, Projection)
