"""From pixels to tokens that know where they are: patches, and positions that fit any map.

Positions come from a depthwise 3x3 convolution of the token map, whose zero padding tells the
border (Chu et al., 2021, arXiv:2102.10882); ours: one at the start of every stage. A family
does not know how large its images are, and a space may vary their size: learnt tables would
have to be stretched, while this fits every map, and a narrower student uses the leading
filters. On digits it also learns much faster than fixed sines and cosines.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.elastic import cut


class ElasticPatches(nn.Module):
    """One token for each patch of `side` x `side` pixels; what is over at the edges is cut."""

    def __init__(self, channels: int, width: int, side: int) -> None:
        super().__init__()
        self.widest = patches(channels, width, side)

    def forward(self, images: Tensor, width: int) -> Tensor:
        conv = self.widest
        assert conv.bias is not None
        return F.conv2d(images, conv.weight[:width], conv.bias[:width], conv.stride)

    def carve(self, width: int) -> nn.Conv2d:
        conv = self.widest
        side, _ = conv.kernel_size
        return cut(conv, lambda: patches(conv.in_channels, width, side))


def patches(channels: int, width: int, side: int) -> nn.Conv2d:
    return nn.Conv2d(channels, width, side, side)


class Positions(nn.Module):
    """Adds to every token what its neighbours tell of where it is."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(width, width, 3, padding=1, groups=width)

    def forward(self, maps: Tensor) -> Tensor:
        there: Tensor = self.near(maps)
        return maps + there


class ElasticPositions(nn.Module):
    """`Positions` of every width: that of the maps that come."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widest = Positions(width)

    def forward(self, maps: Tensor) -> Tensor:
        near, width = self.widest.near, maps.shape[1]
        assert near.bias is not None
        weight, bias = near.weight[:width], near.bias[:width]
        return maps + F.conv2d(maps, weight, bias, padding=1, groups=width)

    def carve(self, width: int) -> Positions:
        return cut(self.widest, lambda: Positions(width))
