"""Self-attention whose width and number of heads are chosen per call.

Elastic heads of a fixed size, so that a head's scores keep their scale, and queries, keys and
values that each keep a prefix of their own: Chen et al., 2021, arXiv:2107.00651, and its code
(microsoft/Cream, AutoFormer). Ours: one tensor of three leading slices does that; heads of 16
features (NASViT has 8, AutoFormer 64); no biases on queries, keys and values, as in Dehghani
et al., 2023, arXiv:2302.05442, sec. 2, as we recall it (a key's bias has no gradient at all).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.elastic import ElasticLinear, cut

HEAD = 16
"""Features of one head."""


class Projections(nn.Module):
    """Queries, keys and values of tokens in one product: (outputs, inputs) weights of each."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(3, outputs, inputs))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """As torch starts a linear layer."""
        bound = 1 / math.sqrt(self.weight.shape[2])
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, tokens, 3 * outputs)."""
        return F.linear(tokens, self.weight.flatten(0, 1))


def attend(projected: Tensor) -> Tensor:
    """What the heads gather: (batch, tokens, 3 * inner) to (batch, tokens, inner)."""
    batch, tokens, _ = projected.shape
    split = projected.reshape(batch, tokens, 3, -1, HEAD).permute(2, 0, 3, 1, 4)
    queries, keys, values = split.unbind(0)
    return F.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).flatten(2)


class Attention(nn.Module):
    """Multi-head self-attention over tokens (batch, tokens, width)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.project = Projections(width, HEAD * heads)
        self.merge = nn.Linear(HEAD * heads, width)

    def forward(self, tokens: Tensor) -> Tensor:
        merged: Tensor = self.merge(attend(self.project(tokens)))
        return merged


class ElasticAttention(nn.Module):
    """`Attention` of every width and number of heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.project = Projections(width, HEAD * heads)
        self.merge = ElasticLinear(HEAD * heads, width)

    def forward(self, tokens: Tensor, heads: int) -> Tensor:
        width = tokens.shape[2]
        weight = self.project.weight[:, : HEAD * heads, :width]
        merged: Tensor = self.merge(attend(F.linear(tokens, weight.flatten(0, 1))), width)
        return merged

    def carve(self, width: int, heads: int) -> Attention:
        with torch.device("meta"):  # an outline: every part of it is replaced below
            plain = Attention(width, heads)
        inner = HEAD * heads
        plain.project = cut(self.project, lambda: Projections(width, inner))
        plain.merge = self.merge.carve(inner, width)
        return plain
