"""Heads over a student's pooled features, as in multi-level knowledge distillation
(Ding et al., 2020, arXiv:2012.00573; ifding/DLKD), but with layer instead of batch
normalisation, which widths can share.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.scaled import ScaledLinear


class Head(nn.Module):
    """Linear, norm, ReLU, linear. Takes narrower features too; its output is always whole.

    Alignment maps student to teacher features through 16 times the teacher's width,
    correlation keeps the student's width throughout; the caller says.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.widen = ScaledLinear(inputs, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.narrow = nn.Linear(hidden, outputs)

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.narrow(F.relu(self.norm(self.widen(features))))
        return out


def embedding(inputs: int, outputs: int) -> ScaledLinear:
    """The linear head of contrastive terms; takes narrower features too."""
    return ScaledLinear(inputs, outputs)
