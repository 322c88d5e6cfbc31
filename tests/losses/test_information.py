import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsearch.losses.affinity import KERNELS
from kdsearch.losses.information import matched_layers, quadratic_mutual_information

AXES = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 3.0]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("labels", "value"),
    [([0, 0, 1, 1], 1 / 8), ([0, 1, 0, 1], 0), ([0, 0, 0, 1], 1 / 32), ([5, 5, 5, 5], 0)],
)
def test_by_hand(labels: list[int], value: float) -> None:
    """Affinities 1 along an axis and 1/2 across, 12 in all, 3 from each sample, so that
    V_ALL = V_BTW = Σ shares² · 12/16. Classes along the axes: 8/16 − 1/2 · 12/16; across them:
    6/16 − 1/2 · 12/16; three to one: 8/16 − 10/16 · 12/16."""
    found = quadratic_mutual_information(AXES, torch.tensor(labels))
    assert float(found) == pytest.approx(value, abs=1e-6)


def by_definition(kernel: torch.Tensor, labels: torch.Tensor) -> float:
    """The three potentials, each added up class by class."""
    n, whole = len(labels), kernel.sum()
    total = 0.0
    for label in labels.unique():
        of = labels == label
        share = float(of.sum()) / n
        within, across = kernel[of][:, of].sum(), kernel[of].sum()
        total += float(within + share**2 * whole - 2 * share * across) / n**2
    return total


@pytest.mark.parametrize("kernel", KERNELS)
def test_it_is_the_sum_over_classes(waves, kernel: str) -> None:
    features = waves((9, 5), 0.1)
    labels = torch.tensor([0, 1, 1, 4, 0, 0, 0, 1, 4])
    found = quadratic_mutual_information(features, labels, kernel)
    expected = by_definition(KERNELS[kernel](features), labels)
    assert float(found) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
def test_classes_apart_say_more_than_classes_shuffled(waves, kernel: str) -> None:
    labels = torch.arange(20) % 2
    features = waves((20, 6), 0.1) * 0.1 + labels[:, None] * torch.tensor(
        [1.0, -1, 1, -1, 1, -1]
    )
    shuffled = labels[torch.randperm(20, generator=torch.Generator().manual_seed(3))]
    apart = quadratic_mutual_information(features, labels, kernel)
    assert float(apart) > 3 * abs(
        float(quadratic_mutual_information(features, shuffled, kernel))
    )


@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 2, 3], [0, 0, 0, 0]])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("row", [[1.0, 2.0], [0.0, 0.0]])
def test_rows_all_alike_say_nothing(row: list[float], kernel: str, labels: list[int]) -> None:
    features = torch.tensor([row] * 4, requires_grad=True)
    found = quadratic_mutual_information(features, torch.tensor(labels), kernel)
    found.backward()
    assert float(found.detach()) == pytest.approx(0, abs=1e-6)
    assert features.grad.isfinite().all()


@pytest.mark.parametrize("kernel", KERNELS)
def test_one_sample_says_nothing(kernel: str) -> None:
    found = quadratic_mutual_information(torch.ones(1, 3), torch.tensor([7]), kernel)
    assert float(found) == 0


def test_names_of_classes_and_the_order_do_not_matter(waves) -> None:
    features, labels = waves((8, 5), 0.4), torch.tensor([0, 1, 2, 0, 1, 1, 2, 0])
    order = torch.tensor([3, 0, 7, 1, 6, 2, 5, 4])
    found = quadratic_mutual_information(features, labels)
    torch.testing.assert_close(quadratic_mutual_information(features, 9 - labels), found)
    torch.testing.assert_close(
        quadratic_mutual_information(features[order], labels[order]), found
    )


def test_layers_by_hand() -> None:
    """The third of the student's is the nearest to the teacher's second; last ↔ last although
    the student's last is nearest to the teacher's third."""
    teacher = [0.1, 0.4, 0.5, 0.9]
    assert matched_layers([0.05, 0.2, 0.43, 0.55], teacher) == [0, 0, 1, 3]
    assert matched_layers([0.3, 0.6], [0.2, 0.4]) == [0, 1]
    assert matched_layers([0.7], [0.7, 0.9]) == [1]


FLOWS = st.lists(st.floats(0, 1), min_size=1, max_size=6)


@settings(deadline=None)
@given(FLOWS, FLOWS)
def test_no_other_layer_is_nearer(student: list[float], teacher: list[float]) -> None:
    matched = matched_layers(student, teacher)
    assert len(matched) == len(student) and matched[-1] == len(teacher) - 1
    for mine, j in zip(student[:-1], matched, strict=False):
        assert (mine - teacher[j]) ** 2 == min((mine - theirs) ** 2 for theirs in teacher)


@settings(deadline=None)
@given(FLOWS)
def test_the_same_flow_matches_the_same_information(flow: list[float]) -> None:
    assert [(flow[i] - flow[j]) ** 2 for i, j in enumerate(matched_layers(flow, flow))] == [
        0
    ] * len(flow)
