import pytest
import torch
from sklearn.metrics import average_precision_score
from torch import Tensor

from kdsearch.measure.retrieval import mean_average_precision


def of_sklearn(
    queries: Tensor, query_labels: Tensor, database: Tensor, database_labels: Tensor
) -> float:
    """scikit-learn's average precision of each query's cosines, mean over queries."""
    cosines = torch.nn.functional.normalize(queries) @ torch.nn.functional.normalize(database).T
    scores = [
        average_precision_score((database_labels == label).numpy(), row.numpy())
        for label, row in zip(query_labels, cosines, strict=True)
    ]
    return float(sum(scores) / len(scores))


def drawn(seed: int, classes: int = 4) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, 8, generator=generator, dtype=torch.float64)
    labels = [torch.randint(classes, (n,), generator=generator) for n in (30, 90)]
    rows = [
        centres[of] + torch.randn(len(of), 8, generator=generator, dtype=torch.float64)
        for of in labels
    ]
    return rows[0], labels[0], rows[1], labels[1]


def test_by_hand() -> None:
    """Cosines fall along the database: of class 0 at ranks 1 and 3, of class 1 at 2 and 4."""
    query = torch.tensor([[2.0, 0.0]])
    database = torch.tensor([[5.0, 0.0], [1.0, 1.0], [0.0, 3.0], [-1.0, 1.0]])
    labels = torch.tensor([0, 1, 0, 1])
    found = [
        mean_average_precision(query, torch.tensor([label]), database, labels)
        for label in (0, 1)
    ]
    assert found == pytest.approx([(1 + 2 / 3) / 2, (1 / 2 + 2 / 4) / 2])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_agrees_with_scikit_learn(seed: int) -> None:
    found = mean_average_precision(*drawn(seed))
    assert found == pytest.approx(of_sklearn(*drawn(seed)), rel=1e-9)
    assert 0.3 < found < 0.99


def test_ties_agree_with_scikit_learn_in_any_order() -> None:
    """Rows on the axes, so that most cosines are 0 or 1 exactly."""
    database, labels = torch.eye(3).repeat(5, 1).double(), torch.arange(15) % 4
    queries, query_labels = torch.eye(3).double(), torch.tensor([0, 1, 3])
    found = mean_average_precision(queries, query_labels, database, labels)
    assert found == pytest.approx(of_sklearn(queries, query_labels, database, labels))
    flipped = mean_average_precision(queries, query_labels, database.flip(0), labels.flip(0))
    assert flipped == pytest.approx(found)


@pytest.mark.parametrize("chunk", [1, 7, 30, 1000])
def test_chunks_do_not_change_it(chunk: int) -> None:
    assert mean_average_precision(*drawn(0), chunk) == pytest.approx(
        mean_average_precision(*drawn(0)), rel=1e-12
    )


def test_lengths_do_not_matter() -> None:
    queries, query_labels, database, labels = drawn(1)
    stretched = database * torch.arange(1, 91)[:, None]
    assert mean_average_precision(
        3 * queries, query_labels, stretched, labels
    ) == pytest.approx(mean_average_precision(queries, query_labels, database, labels))


def test_the_extremes() -> None:
    """Classes apart; a class the database lacks; rows of zeros, where all entries tie."""
    rows, labels = torch.eye(4), torch.arange(4)
    assert mean_average_precision(rows, labels, rows, labels) == 1
    assert mean_average_precision(rows, labels + 4, rows, labels) == 0
    assert mean_average_precision(torch.zeros(4, 4), labels, rows, labels) == pytest.approx(
        1 / 4
    )
