"""Scores of published students: the mean over runs, and an interval that is not too narrow."""

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.objectives import KNOWN, Objective
from kdsearch.data.records import DataInfo, Split
from kdsearch.measure.accuracy import wilson_ci95
from kdsearch.measure.macro_f1 import macro_f1
from kdsearch.measure.paired import interval
from kdsearch.pipeline.rescore import rescored, scored


def test_one_run_has_the_wilson_interval_of_its_images():
    found = scored([345], 359)
    assert found.accuracy == pytest.approx(345 / 359)
    assert found.ci95 == wilson_ci95(345, 359)


def test_more_runs_on_the_same_images_are_not_more_images():
    assert scored([345, 345, 345], 359).ci95 == wilson_ci95(345, 359)


def test_runs_that_differ_widen_the_interval():
    found = scored([300, 340], 400)
    # Student's t with one degree of freedom is 12.706; the two shares differ by 0.1, so their
    # standard error is 0.05: 0.8 - 0.6353 and 0.8 + 0.6353, cut at 1.
    assert found.accuracy == pytest.approx(0.8)
    assert found.ci95 == (pytest.approx(0.8 - 12.7062 * 0.05, abs=1e-4), 1.0)


class Says(nn.Module):
    """Of three images, these classes."""

    def __init__(self, *classes: int) -> None:
        super().__init__()
        self.logits = torch.nn.functional.one_hot(torch.tensor(classes), 3).float()

    def forward(self, images: Tensor) -> Tensor:
        return self.logits[: len(images)]


SPLIT = Split(torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 1, 2]))
INFO = DataInfo("d", ("a", "b", "c"), 1, 2, (0.5,), (0.5,), {}, (), "f")
OWN = Objective("own", maximised=True, scored=True, function="module:math:sqrt")


def test_other_scores_are_means_over_the_runs_with_their_interval():
    runs = [Says(0, 1, 2), Says(0, 1, 1)]
    found = rescored(runs, SPLIT, INFO, [KNOWN["macro_f1"]])
    each = [macro_f1(one.logits, SPLIT.labels) for one in runs]
    assert found.values == pytest.approx({"accuracy": 5 / 6, "macro_f1": sum(each) / 2})
    assert found.intervals["macro_f1"] == interval(each).ci95
    alone = rescored(runs[:1], SPLIT, INFO, [KNOWN["macro_f1"]])
    assert alone.intervals == {"accuracy": wilson_ci95(3, 3), "macro_f1": None}
    assert alone.failed == {}


def test_a_function_that_fails_is_left_out_and_named():
    found = rescored([Says(0, 1, 2)], SPLIT, INFO, [OWN, KNOWN["macro_f1"]])
    assert found.values == {"accuracy": 1.0, "macro_f1": 1.0}
    assert found.failed["own"].startswith("module:math:sqrt: TypeError: ")
