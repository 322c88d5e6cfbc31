import math

import pytest
import torch

from kdsearch.losses.affinity import KERNELS
from kdsearch.losses.flow import DIVERGENCES, flow_distance

EVERY = tuple(KERNELS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kl", 0.75 * math.log(1.5) - 0.25 * math.log(2)),
        ("abs", 0.5),
        ("squared", 0.125),
        ("jeffreys", 0.25 * math.log(3)),
        ("exponential", 0.75 * math.log(1.5) ** 2 + 0.25 * math.log(2) ** 2),
        ("kagan", 1 / 12 + 1 / 4),
    ],
)
def test_divergences_by_hand(name: str, value: float) -> None:
    """A row of two: teacher (3/4, 1/4), student (1/2, 1/2)."""
    student, teacher = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.75, 0.25]])
    assert float(DIVERGENCES[name](student, teacher).sum()) == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    ("kernels", "divergence", "value"),
    [
        (("cosine", "student_t"), "jeffreys", 0.113243165863),
        (("cosine",), "kl", 0.0569963120824),
        (("cosine",), "jeffreys", 0.101529697329),
        (("student_t",), "jeffreys", 0.0117134685347),
        (("rbf",), "kl", 0.0319386916019),
        (("adaptive_rbf",), "jeffreys", 0.0241548626949),
    ],
)
def test_golden_values(waves, kernels: tuple[str, ...], divergence: str, value: float) -> None:
    """prob_loss of pkth (passalis/pkth, nn/pkt_transfer.py); the first is its `combined`."""
    student, teacher = waves((8, 12), 0.1), waves((8, 16), 0.9)
    found = flow_distance(student, teacher, kernels, divergence)
    assert float(found) == pytest.approx(value, rel=1e-6)


def test_golden_gradient(waves) -> None:
    """Of pkth's prob_loss, `combined`, on the same inputs: its norm and first element."""
    student = waves((8, 12), 0.1).requires_grad_()
    flow_distance(student, waves((8, 16), 0.9)).backward()
    assert float(student.grad.norm()) == pytest.approx(0.01981567139, rel=1e-6)
    assert float(student.grad[0, 0]) == pytest.approx(-0.0025888343, rel=1e-6)


@pytest.mark.parametrize(("include_diagonal", "entries"), [(True, 8), (False, 7)])
def test_batchmean_sums_rows(waves, include_diagonal: bool, entries: int) -> None:
    student, teacher = waves((8, 12), 0.1), waves((8, 16), 0.9)
    mean, rows = (
        flow_distance(student, teacher, include_diagonal=include_diagonal, reduction=reduction)
        for reduction in ("mean", "batchmean")
    )
    torch.testing.assert_close(rows, mean * entries)


def test_without_the_diagonal_by_hand() -> None:
    """Three points; each row of the teacher is (1/2, 1/2), its first student's (3/4, 1/4)."""
    teacher = torch.eye(3, dtype=torch.float64)
    student = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1 / 3, math.sqrt(8) / 3]]).double()
    rows = [(3 / 4, 1 / 4), (3 / 4, 1 / 4), (1 / 2, 1 / 2)]
    expected = sum((1 / 2 - q) * math.log(1 / 2 / q) for row in rows for q in row) / 6
    found = flow_distance(student, teacher, ("cosine",), include_diagonal=False)
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_kernels_are_summed(waves) -> None:
    pair = waves((8, 12), 0.1), waves((8, 16), 0.9)
    alone = [flow_distance(*pair, kernels=(kernel,)) for kernel in EVERY]
    torch.testing.assert_close(flow_distance(*pair, kernels=EVERY), torch.stack(alone).sum())


@pytest.mark.parametrize("include_diagonal", [True, False])
@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_zero_for_equal_features_alone(waves, divergence: str, include_diagonal: bool) -> None:
    features, others = waves((8, 12), 0.1), waves((8, 12), 0.9)
    same = flow_distance(features, features.clone(), EVERY, divergence, include_diagonal)
    apart = flow_distance(features, others, EVERY, divergence, include_diagonal)
    assert float(same) == pytest.approx(0, abs=1e-5)
    assert float(apart) > 1e-4


def test_the_order_of_the_batch_does_not_matter(waves) -> None:
    student, teacher = waves((8, 12), 0.1), waves((8, 16), 0.9)
    order = torch.tensor([3, 0, 7, 1, 6, 2, 5, 4])
    torch.testing.assert_close(
        flow_distance(student[order], teacher[order], EVERY),
        flow_distance(student, teacher, EVERY),
    )


def test_the_cosine_does_not_see_lengths(waves) -> None:
    student, teacher = waves((8, 12), 0.1), waves((8, 16), 0.9)
    stretched = student * torch.arange(1, 9)[:, None]
    torch.testing.assert_close(
        flow_distance(stretched, teacher, ("cosine",)),
        flow_distance(student, teacher, ("cosine",)),
        rtol=1e-4,
        atol=0,
    )


def test_single_precision_agrees(waves) -> None:
    student, teacher = waves((8, 12), 0.1), waves((8, 16), 0.9)
    single = flow_distance(student.float(), teacher.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(
        single.double(), flow_distance(student, teacher), rtol=1e-4, atol=0
    )


@pytest.mark.parametrize("include_diagonal", [True, False])
@pytest.mark.parametrize("divergence", DIVERGENCES)
@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]], id="zeros"),
        pytest.param([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]], id="equal"),
        pytest.param([[1.0, 2.0], [-1.0, -2.0], [2.0, -1.0]], id="opposite"),
        pytest.param([[1.0, 2.0]], id="alone"),
    ],
)
def test_degenerate_batches_are_defined(
    rows: list[list[float]], divergence: str, include_diagonal: bool
) -> None:
    student = torch.tensor(rows, requires_grad=True)
    teacher = torch.arange(4.0 * len(rows)).view(len(rows), 4).sin()
    found = flow_distance(student, teacher, EVERY, divergence, include_diagonal)
    found.backward()
    assert found.isfinite() and student.grad.isfinite().all()
    if len(rows) == 1:
        assert float(found.detach()) == pytest.approx(0, abs=1e-5)
        assert float(student.grad.norm()) == pytest.approx(0, abs=1e-4)
