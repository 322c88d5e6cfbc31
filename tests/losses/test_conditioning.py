"""Divergence of a branch from its teacher: direction, temperature, whose logits move."""

import math

import pytest
import torch
from torch import Tensor

from kdsearch.losses.conditioning import DIRECTIONS, SIDES

BRANCH = torch.tensor([[math.log(3.0), 0.0]], dtype=torch.float64)  # 3/4, 1/4
TEACHER = torch.tensor([[0.0, 0.0]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("branch_to_teacher", 0.75 * math.log(1.5) + 0.25 * math.log(0.5)),
        ("teacher_to_branch", 0.5 * math.log(2 / 3) + 0.5 * math.log(2)),
    ],
)
def test_by_hand(direction: str, expected: float) -> None:
    found = DIRECTIONS[direction](BRANCH, TEACHER, 1.0)
    assert float(found) == pytest.approx(expected, rel=1e-6)
    doubled = DIRECTIONS[direction](2 * BRANCH, 2 * TEACHER, 2.0)
    assert float(doubled) == pytest.approx(4 * expected, rel=1e-6)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(
    ("side", "moved"), [("branch", (True, False)), ("teacher", (False, True)), ("both", (1, 1))]
)
def test_sides(direction: str, side: str, moved: tuple[bool, bool]) -> None:
    """And where both move, each moves as it does alone."""
    logits = [t.clone().requires_grad_() for t in (BRANCH, TEACHER)]
    DIRECTIONS[direction](*SIDES[side](*logits), 1.0).backward()
    whole: list[Tensor] = [t.clone().requires_grad_() for t in (BRANCH, TEACHER)]
    DIRECTIONS[direction](*whole, 1.0).backward()
    for one, other, moves in zip(logits, whole, moved, strict=True):
        assert (one.grad is not None) == bool(moves)
        if moves:
            assert torch.equal(one.grad, other.grad) and bool(one.grad.any())


def test_the_teachers_gradient_is_what_pulls_it_to_weak_branches() -> None:
    """KL(branch ‖ teacher) moves the teacher's logits by its softmax minus the branch's."""
    teacher = TEACHER.clone().requires_grad_()
    DIRECTIONS["branch_to_teacher"](*SIDES["teacher"](BRANCH, teacher), 1.0).backward()
    assert teacher.grad is not None
    assert teacher.grad[0].tolist() == pytest.approx([-0.25, 0.25])
