"""Group normalisation (Wu & He, 2018, arXiv:1803.08494) of the leading channels.

Where several widths share weights it replaces batch normalisation, whose statistics would
belong to no width.
"""

import torch
from torch import Tensor, nn


def groups(channels: int) -> int:
    """1, 2, 4 or 8: the most that divide the channels and keep four of them together (ours).

    Works for every number of channels; with single-channel groups a map of one pixel would
    be normalised to nothing.
    """
    return max(
        (g for g in (2, 4, 8) if channels % g == 0 and channels >= 4 * g),
        default=1,
    )


class ElasticGroupNorm(nn.Module):
    """Normalises as many channels as a call brings, in `groups` of that many."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.widest = nn.GroupNorm(groups(channels), channels)

    def forward(self, maps: Tensor) -> Tensor:
        norm, width = self.widest, maps.shape[1]
        # Unlike torch.nn.functional's, this one takes a single value: its result is the bias.
        return torch.group_norm(
            maps, groups(width), norm.weight[:width], norm.bias[:width], norm.eps
        )
