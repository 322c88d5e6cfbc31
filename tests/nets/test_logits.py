import pytest
import torch
from torch import nn

from kdsearch.nets.logits import Logits
from kdsearch.output import Output


class Fixed(nn.Module):
    def __init__(self, out: object) -> None:
        super().__init__()
        self.out = out

    def forward(self, images: torch.Tensor) -> object:
        return self.out


def test_logits_alone_of_an_output_or_of_plain_logits() -> None:
    logits, images = torch.randn(2, 3), torch.zeros(2, 1, 4, 4)
    assert Logits(Fixed(Output(logits, (images,), logits)))(images) is logits
    assert Logits(Fixed(logits))(images) is logits


def test_a_headless_network_has_none() -> None:
    with pytest.raises(AssertionError, match="headless"):
        Logits(Fixed(Output(None)))(torch.zeros(1, 1, 1, 1))
