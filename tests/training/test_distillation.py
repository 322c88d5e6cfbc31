"""The task of one student: one teacher forward a step, frozen; losses in float32."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.distill.hard import Hard
from kdsearch.distill.method import Method, Needs, Seen
from kdsearch.distill.soften import Soften
from kdsearch.output import Output, single
from kdsearch.training.distillation import Distillation, Lesson, frozen
from kdsearch.training.task import Batch, Loss, Sample

IMAGES, LABELS = torch.randn(6, 1, 4, 4), torch.arange(6) % 3


class Net(nn.Module):
    """Linear, and counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.calls = nn.Linear(16, 3), 0

    def forward(self, images: Tensor) -> Output:
        self.calls += 1
        flat = images.flatten(1)
        return Output(self.linear(flat), (images * self.linear.bias[0],), flat)


def task_of(
    student: nn.Module, method: Method, teacher: nn.Module | None, precision: str = "float32"
) -> Distillation:
    sample = Sample(IMAGES[:2], 3, 6, 6)
    return Distillation(Lesson(student, method, teacher), sample, precision=precision, seed=0)


def loss_of(task: Distillation, step: int = 0) -> Loss:
    (loss,) = task.losses(Batch(IMAGES, LABELS, step))
    return loss


def test_the_loss_is_the_methods_on_both_outputs() -> None:
    student, teacher, method = Net(), Net(), Soften(temperature=2.0, weight=0.3)
    loss = loss_of(task_of(student, method, teacher))
    expected = method(Seen(student(IMAGES), teacher(IMAGES), LABELS, nn.Module()))
    torch.testing.assert_close(loss.total, expected)
    cross_entropy = F.cross_entropy(student(IMAGES).logits, LABELS)
    torch.testing.assert_close(loss.cross_entropy, cross_entropy.detach())
    assert not loss.cross_entropy.requires_grad


def test_one_teacher_forward_a_step_and_no_gradient_in_it() -> None:
    student, teacher = Net(), Net()
    task = task_of(student, Soften(), teacher)
    student.calls = teacher.calls = 0  # of the probe
    for step in range(3):
        loss_of(task, step).total.backward()
    assert (student.calls, teacher.calls) == (3, 3)
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert all(bool(parameter.grad.any()) for parameter in student.parameters())


def test_a_method_without_teacher_runs_none() -> None:
    student = Net()
    loss = loss_of(task_of(student, Hard(), None))
    assert torch.equal(loss.total, F.cross_entropy(student(IMAGES).logits, LABELS))


def test_the_student_learns_itself_and_the_teacher_is_no_part() -> None:
    student = Net()
    task = task_of(student, Soften(), Net())
    assert task.module.student is student and task.classes == 3
    assert {name for name, _ in task.module.named_parameters()} == {
        "student.linear.weight",
        "student.linear.bias",
    }


@pytest.mark.parametrize(
    ("precision", "kind"), [("bf16", torch.bfloat16), ("float32", torch.float32)]
)
def test_only_the_forward_pass_is_in_bf16(precision: str, kind: torch.dtype) -> None:
    student, teacher = Net(), Net()
    seen: list[torch.dtype] = []
    for net in (student, teacher):
        net.linear.register_forward_hook(lambda *args: seen.append(args[2].dtype))
    told: list[Output] = []

    class Noting:
        name, knobs, options = "noting", Soften.knobs, Soften.options
        needs = Needs(teacher=("logits",))

        def __call__(self, seen: Seen) -> Tensor:
            told.extend((seen.student, seen.taught))
            return Soften()(seen)

    task = task_of(student, Noting(), teacher, precision)
    seen.clear()  # of the probe
    loss = loss_of(task)
    loss.total.backward()
    assert seen == [kind, kind]
    assert loss.total.dtype == loss.cross_entropy.dtype == torch.float32
    for out in told:
        assert {out.logits.dtype, out.pooled.dtype, out.feats[0].dtype} == {torch.float32}
    assert student.linear.weight.grad.dtype == torch.float32


@pytest.mark.parametrize("build", [lambda: Output(None), lambda: Output(torch.zeros(2, 3))])
def test_single_keeps_what_is_not_there(build: Callable[[], Output]) -> None:
    out = single(build())
    assert (out.logits is None) == (build().logits is None)
    assert out.feats == () and out.pooled is None


def test_a_frozen_teacher_gives_no_graph() -> None:
    out = frozen(Net(), IMAGES)
    assert not out.logits.requires_grad and not out.feats[0].requires_grad
