import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsearch.losses.ranked import ranked_kl
from kdsearch.losses.softened import softened_kl


def test_golden_value_and_gradient(waves) -> None:
    """DSR of LightSKD (xucong-parsifal/LightSKD, train.py), β = 1, T = 4: the loss, the
    gradient's norm and first element."""
    student = waves((8, 10), 0.1, 2).requires_grad_()
    found = ranked_kl(student, waves((8, 10), 0.9, 3), 4.0)
    found.backward()
    assert float(found.detach()) == pytest.approx(0.461250910315, rel=1e-6)
    assert float(student.grad.norm()) == pytest.approx(0.1120475774, rel=1e-6)
    assert float(student.grad[0, 0]) == pytest.approx(-0.0019904626, rel=1e-6)


def test_golden_value_of_the_other_half(waves) -> None:
    """DRG of LightSKD (the same file), α = 0.2, T = 4: softened logits of an auxiliary
    classifier."""
    found = 0.2 * softened_kl(waves((8, 10), 0.1, 2), waves((8, 10), 0.9, 3), 4.0)
    assert float(found) == pytest.approx(0.305805226851, rel=1e-6)


ORDERS = st.lists(st.permutations(range(5)), min_size=3, max_size=3)


@settings(deadline=None)
@given(ORDERS, ORDERS)
def test_which_class_has_which_rank_does_not_matter(
    waves, students: list[list[int]], shapes: list[list[int]]
) -> None:
    student, shape = waves((3, 5), 0.1, 2), waves((3, 5), 0.9, 3)
    found = ranked_kl(student.gather(1, torch.tensor(students)), shape, 2.0)
    torch.testing.assert_close(found, ranked_kl(student, shape, 2.0))
    found = ranked_kl(student, shape.gather(1, torch.tensor(shapes)), 2.0)
    torch.testing.assert_close(found, ranked_kl(student, shape, 2.0))


def test_zero_for_the_same_shape_alone(waves) -> None:
    student = waves((4, 6), 0.1, 2)
    assert float(ranked_kl(student, student.flip(1) + 3, 4.0)) == pytest.approx(0, abs=1e-6)
    assert float(ranked_kl(student, 2 * student, 4.0)) > 0.01


@pytest.mark.parametrize("shape", [(1, 2), (1, 10), (3, 2)])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4])
def test_degenerate_batches_are_defined(waves, shape: tuple[int, int], scale: float) -> None:
    """One image, two classes, all logits equal, logits far apart."""
    student = waves(shape, 0.1, scale).float().requires_grad_()
    found = ranked_kl(student, waves(shape, 0.9, 3).float(), 4.0)
    found.backward()
    assert found.isfinite() and student.grad.isfinite().all()
