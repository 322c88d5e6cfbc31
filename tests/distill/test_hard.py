import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kdsearch.distill.hard import Hard
from kdsearch.distill.method import Seen
from kdsearch.output import Output


def test_hard_is_cross_entropy() -> None:
    logits, labels = torch.randn(6, 5), torch.arange(6) % 5
    loss = Hard()(Seen(Output(logits), None, labels, nn.Module()))
    assert torch.equal(loss, F.cross_entropy(logits, labels))


def test_by_hand() -> None:
    """Probabilities 3/4 and 1/4 of the right label: (ln 4/3 + ln 4) / 2."""
    logits = torch.tensor([[math.log(3.0), 0.0], [math.log(3.0), 0.0]])
    loss = Hard()(Seen(Output(logits), None, torch.tensor([0, 1]), nn.Module()))
    assert float(loss) == pytest.approx((math.log(4 / 3) + math.log(4)) / 2)


def test_it_asks_for_no_teacher() -> None:
    assert not Hard().needs.teacher and Hard().needs.online is None
