"""LayerScale: a branch times a learnt number per feature, small at first (Touvron et al., 2021,
arXiv:2103.17239, sec. 2, with its 0.1 for networks of up to 18 blocks, as we recall it).

Without it our transformers fall back to chance under the learning rates that suit the other
families.
"""

import torch
from torch import Tensor, nn

from kdsearch.nets.elastic import cut

START = 0.1


class LayerScale(nn.Module):
    """Features (…, width), each times its own number."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.weight, START)

    def forward(self, features: Tensor) -> Tensor:
        return features * self.weight


class ElasticLayerScale(nn.Module):
    """`LayerScale` of every width: that of the features that come."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widest = LayerScale(width)

    def forward(self, features: Tensor) -> Tensor:
        return features * self.widest.weight[: features.shape[-1]]

    def carve(self, width: int) -> LayerScale:
        return cut(self.widest, lambda: LayerScale(width))
