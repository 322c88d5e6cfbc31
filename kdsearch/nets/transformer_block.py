"""A transformer's block on maps: attention and a two-layer perceptron, each behind its layer
norm and beside a shortcut (Dosovitskiy et al., 2021, arXiv:2010.11929, eq. 2 and 3), scaled.

Blocks take and give (batch, width, height, width) maps, so that a stage's end is a feature map
like a convolutional network's; tokens are a view of one, the pixels in reading order.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.elastic import ElasticLinear
from kdsearch.nets.elastic_attention import Attention, ElasticAttention
from kdsearch.nets.elastic_layernorm import ElasticLayerNorm
from kdsearch.nets.layer_scale import ElasticLayerScale, LayerScale


class Sizes(NamedTuple):
    width: int
    """Features of a token."""
    heads: int
    hidden: int
    """Features inside the perceptron."""


def tokens_of(maps: Tensor) -> Tensor:
    """(batch, width, height, width) to (batch, tokens, width)."""
    return maps.flatten(2).transpose(1, 2)


def maps_of(tokens: Tensor, of: Tensor) -> Tensor:
    """Back again, in the shape of the map they were made of."""
    return tokens.transpose(1, 2).reshape(of.shape)


class TransformerBlock(nn.Module):
    """Plain layers of one size."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width, heads, hidden = sizes
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.scale1 = LayerScale(width)
        self.norm2 = nn.LayerNorm(width)
        self.expand = nn.Linear(width, hidden)
        self.shrink = nn.Linear(hidden, width)
        self.scale2 = LayerScale(width)

    def forward(self, maps: Tensor) -> Tensor:
        tokens = tokens_of(maps)
        tokens = tokens + self.scale1(self.attention(self.norm1(tokens)))
        inside = F.gelu(self.expand(self.norm2(tokens)))
        tokens = tokens + self.scale2(self.shrink(inside))
        return maps_of(tokens, maps)


class ElasticTransformerBlock(nn.Module):
    """The block of every size; its width is that of the maps that come."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width, heads, hidden = sizes
        self.norm1 = ElasticLayerNorm(width)
        self.attention = ElasticAttention(width, heads)
        self.scale1 = ElasticLayerScale(width)
        self.norm2 = ElasticLayerNorm(width)
        self.expand = ElasticLinear(width, hidden)
        self.shrink = ElasticLinear(hidden, width)
        self.scale2 = ElasticLayerScale(width)

    def forward(self, maps: Tensor, sizes: Sizes) -> Tensor:
        tokens = tokens_of(maps)
        tokens = tokens + self.scale1(self.attention(self.norm1(tokens), sizes.heads))
        inside = F.gelu(self.expand(self.norm2(tokens), sizes.hidden))
        tokens = tokens + self.scale2(self.shrink(inside, sizes.width))
        return maps_of(tokens, maps)

    def carve(self, sizes: Sizes) -> TransformerBlock:
        width, heads, hidden = sizes
        with torch.device("meta"):  # an outline: every part of it is replaced below
            plain = TransformerBlock(sizes)
        plain.norm1 = self.norm1.carve(width)
        plain.attention = self.attention.carve(width, heads)
        plain.scale1 = self.scale1.carve(width)
        plain.norm2 = self.norm2.carve(width)
        plain.expand = self.expand.carve(width, hidden)
        plain.shrink = self.shrink.carve(hidden, width)
        plain.scale2 = self.scale2.carve(width)
        return plain
