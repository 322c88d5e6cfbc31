from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kdsearch.losses.pearson import inter_class_distance, intra_class_distance


@pytest.fixture(scope="module")
def student(waves: Callable[..., Tensor]) -> Tensor:
    return waves((8, 10), 0.1, 2)


@pytest.fixture(scope="module")
def teacher(waves: Callable[..., Tensor]) -> Tensor:
    return waves((8, 10), 0.9, 3)


def both(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    return inter_class_distance(student, teacher, temperature) + intra_class_distance(
        student, teacher, temperature
    )


def test_by_hand() -> None:
    """Per sample the same way round and opposite: 0 and 2; per class the same both times: 0."""
    student = torch.tensor([[0.2, 0.8], [0.3, 0.7]]).log()
    teacher = torch.tensor([[0.4, 0.6], [0.6, 0.4]]).log()
    assert float(inter_class_distance(student, teacher, 1.0)) == pytest.approx(1, rel=1e-5)
    assert float(intra_class_distance(student, teacher, 1.0)) == pytest.approx(0, abs=1e-5)


def test_golden_values(student: Tensor, teacher: Tensor) -> None:
    """DIST of hunto/DIST_KD, segmentation/losses/dist_kd.py, beta and gamma 1 or 0."""
    inter, intra = 0.574676957024, 0.538513788014
    assert float(inter_class_distance(student, teacher, 1.0)) == pytest.approx(inter, rel=1e-6)
    assert float(intra_class_distance(student, teacher, 1.0)) == pytest.approx(intra, rel=1e-6)
    assert float(both(student, teacher)) == pytest.approx(1.11319074504, rel=1e-6)
    assert float(both(student / 4, teacher / 4)) == pytest.approx(0.985498537423, rel=1e-6)


def test_golden_value_with_temperature(student: Tensor, teacher: Tensor) -> None:
    """DIST of hunto/image_classification_sota, lib/models/losses/dist_kd.py, tau = 4."""
    assert float(both(student, teacher, 4.0)) == pytest.approx(15.767976598768, rel=1e-6)


def test_golden_gradient(student: Tensor, teacher: Tensor) -> None:
    """Of DIST at tau = 1: its norm and first element."""
    student = student.clone().requires_grad_()
    both(student, teacher).backward()
    assert float(student.grad.norm()) == pytest.approx(0.2542754397, rel=1e-6)
    assert float(student.grad[0, 0]) == pytest.approx(0.0027236657, rel=1e-6)


def test_equal_logits_give_zero(student: Tensor) -> None:
    assert float(both(student, student)) == pytest.approx(0, abs=1e-5)


@given(share=st.floats(0.05, 1))
def test_mixing_in_a_constant_does_not_count(
    waves: Callable[..., Tensor], share: float
) -> None:
    """A positive affine map of probability rows: share · p + (1 − share) / classes."""
    student, teacher = waves((8, 10), 0.1, 2), waves((8, 10), 0.9, 3)
    mixed = (share * student.softmax(1) + (1 - share) / 10).log()
    for distance in (inter_class_distance, intra_class_distance):
        torch.testing.assert_close(
            distance(mixed, teacher, 1.0), distance(student, teacher, 1.0), rtol=1e-5, atol=1e-6
        )


def test_one_sample_has_no_intra_distance(student: Tensor, teacher: Tensor) -> None:
    alone = student[:1].clone().requires_grad_()
    found = intra_class_distance(alone, teacher[:1], 4.0)
    found.backward()
    assert found.item() == 0
    assert not alone.grad.any()


@pytest.mark.parametrize("value", [0.0, 1000.3])
@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
def test_uniform_rows_correlate_with_nothing(
    waves: Callable[..., Tensor], classes: int, value: float
) -> None:
    uniform = torch.full((8, classes), value, requires_grad=True)
    found = inter_class_distance(uniform, waves((8, classes), 0.9).float(), 2.0)
    found.backward()
    assert found.item() == 4
    assert not uniform.grad.any()


@pytest.mark.parametrize("batch", [2, 7, 256])
def test_equal_samples_correlate_with_nothing(waves: Callable[..., Tensor], batch: int) -> None:
    equal = waves((1, 10), 0.1, 2).float().expand(batch, 10).clone().requires_grad_()
    found = intra_class_distance(equal, waves((batch, 10), 0.9).float(), 2.0)
    found.backward()
    assert found.item() == 4
    assert not equal.grad.any()
