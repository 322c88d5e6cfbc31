"""Scores of predictions against scikit-learn; a user's own function, good and bad."""

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score
from torch import Tensor

from kdsearch.core.objectives import KNOWN, Objective, beyond_accuracy
from kdsearch.errors import ObjectiveError
from kdsearch.measure.balanced_accuracy import balanced_accuracy
from kdsearch.measure.confidence import calibration_error
from kdsearch.measure.macro_f1 import macro_f1
from kdsearch.measure.scores import METRICS, identity, scores_of

OWN = """\
import torch

def worst_class(logits, labels):
    right = logits.argmax(1) == labels
    return min(right[labels == c].float().mean() for c in labels.unique())

def spoils(logits, labels):
    logits.zero_(), labels.zero_()
    return torch.rand(()).item()

def kind(logits, labels):
    return logits.dtype == torch.float32 and not torch.is_grad_enabled()

def nan(logits, labels):
    return float("nan")

def raises(logits, labels):
    raise ValueError("no\\nsuch class")

def leaves(logits, labels):
    raise SystemExit(5)

def nothing(logits, labels):
    pass

def memory(logits, labels):
    raise MemoryError
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "own_scores.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("own_scores", None)


def of_mine(name: str) -> Objective:
    return Objective(name, maximised=True, scored=True, function=f"module:own_scores:{name}")


@st.composite
def predictions(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Logits and labels; often with classes that are never shown, never said, or neither."""
    classes = draw(st.integers(2, 6))
    one = st.integers(0, classes - 1)
    pairs = draw(st.lists(st.tuples(one, one), min_size=1, max_size=20))
    said, labels = (torch.tensor(column) for column in zip(*pairs, strict=True))
    return torch.nn.functional.one_hot(said, classes).float(), labels


@given(predictions())
def test_as_scikit_learn_has_them(shown: tuple[Tensor, Tensor]) -> None:
    logits, labels = shown
    said = logits.argmax(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of classes that are absent
        balanced = balanced_accuracy_score(labels, said)
        f1 = f1_score(labels, said, average="macro", zero_division=0)
    assert balanced_accuracy(logits, labels) == pytest.approx(balanced)
    assert macro_f1(logits, labels) == pytest.approx(f1)


def test_absent_classes_by_hand() -> None:
    """Of four classes 0 and 1 are shown, 2 is said without being shown, 3 is neither."""
    labels = torch.tensor([0, 0, 1, 1])
    logits = torch.nn.functional.one_hot(torch.tensor([0, 2, 1, 1]), 4).float()
    assert balanced_accuracy(logits, labels) == (0.5 + 1.0) / 2
    assert macro_f1(logits, labels) == pytest.approx((2 / 3 + 1.0 + 0.0) / 3)


def test_there_is_one_for_each_score_that_is_asked_for() -> None:
    assert set(METRICS) == {one.name for one in beyond_accuracy(list(KNOWN.values()))}
    logits, labels = torch.eye(3) * 5, torch.arange(3)
    found = scores_of(beyond_accuracy(list(KNOWN.values())), logits, labels)
    assert found == {
        "balanced_accuracy": 1.0,
        "macro_f1": 1.0,
        "calibration_error": calibration_error(logits, labels),
    }


def test_logits_that_are_no_numbers_are_no_score() -> None:
    asked = [KNOWN["calibration_error"]]
    with pytest.raises(ObjectiveError, match="calibration_error: nan, and not a finite"):
        scores_of(asked, torch.full((4, 3), torch.nan), torch.zeros(4, dtype=torch.long))


def test_a_function_of_the_users_own(own: None) -> None:
    logits, labels = torch.eye(4)[[0, 1, 2, 2]].double(), torch.tensor([0, 1, 2, 3])
    assert scores_of([of_mine("worst_class"), of_mine("kind")], logits, labels) == {
        "worst_class": 0.0,
        "kind": 1.0,
    }


def test_it_spoils_neither_predictions_nor_randomness(own: None) -> None:
    logits, labels = torch.eye(3), torch.arange(3)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    found = [scores_of([of_mine("spoils")], logits, labels) for _ in range(2)]
    assert found[0] == found[1], "always the same random numbers"
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(logits, torch.eye(3)) and torch.equal(labels, torch.arange(3))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nan", "module:own_scores:nan: nan, and not a finite number"),
        ("raises", "module:own_scores:raises: ValueError: no such class"),
        ("leaves", "module:own_scores:leaves: SystemExit: 5"),
        ("nothing", "module:own_scores:nothing: TypeError: float() argument must be"),
    ],
)
def test_what_gives_no_number_is_named(own: None, name: str, reason: str) -> None:
    with pytest.raises(ObjectiveError) as caught:
        scores_of([of_mine(name)], torch.eye(3), torch.arange(3))
    assert str(caught.value).startswith(reason)
    assert len(str(caught.value).splitlines()) == 1


def test_too_little_memory_is_no_fault_of_the_function(own: None) -> None:
    with pytest.raises(MemoryError):
        scores_of([of_mine("memory")], torch.eye(3), torch.arange(3))


def test_what_scores_depend_on(own: None, tmp_path: Path) -> None:
    first = identity([KNOWN["macro_f1"], of_mine("nan")])
    assert first["macro_f1"] is None
    assert first["nan"]["function"] == "module:own_scores:nan"
    (tmp_path / "own_scores.py").write_text(OWN + "\n# changed\n")
    assert identity([of_mine("nan")])["nan"]["source"] != first["nan"]["source"]
