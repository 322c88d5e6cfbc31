"""Layer normalisation of the leading features (Chen et al., 2021, arXiv:2107.00651, whose
elastic norm slices its scale and shift; mean and variance are those of the active width).

It keeps no statistics, so what it makes of a token is the same in training and after carving.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.elastic import cut


class ElasticLayerNorm(nn.Module):
    """Normalises over as many features as a call brings: the last dimension of its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widest = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        norm, width = self.widest, tokens.shape[-1]
        return F.layer_norm(tokens, (width,), norm.weight[:width], norm.bias[:width], norm.eps)

    def carve(self, width: int) -> nn.LayerNorm:
        return cut(self.widest, lambda: nn.LayerNorm(width, eps=self.widest.eps))
