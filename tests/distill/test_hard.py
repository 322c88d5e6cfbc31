import math

import pytest
import torch
import torch.nn.functional as F

from kdsearch.distill.hard import Hard
from kdsearch.output import Output


def test_hard_is_cross_entropy() -> None:
    logits, labels = torch.randn(6, 5), torch.arange(6) % 5
    loss = Hard()(Output(logits), None, labels)
    assert torch.equal(loss, F.cross_entropy(logits, labels))


def test_by_hand() -> None:
    """Probabilities 3/4 and 1/4 of the right label: (ln 4/3 + ln 4) / 2."""
    logits = torch.tensor([[math.log(3.0), 0.0], [math.log(3.0), 0.0]])
    loss = Hard()(Output(logits), None, torch.tensor([0, 1]))
    assert float(loss) == pytest.approx((math.log(4 / 3) + math.log(4)) / 2)


def test_a_teacher_changes_nothing() -> None:
    student, labels = Output(torch.randn(6, 5)), torch.arange(6) % 5
    guided = Hard()(student, Output(torch.randn(6, 5)), labels)
    assert torch.equal(guided, Hard()(student, None, labels))
    assert not Hard.needs_teacher
