"""A student's feature map made comparable with the teacher's: the regressor of FitNets
(Romero et al., 2015, arXiv:1412.6550, sec. 2.2), as megvii-research/mdistiller builds it
(mdistiller/distillers/_common.py, ConvReg), but with group instead of batch normalisation,
which widths can share, and without the convolution's bias.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.elastic_norm import ElasticGroupNorm
from kdsearch.nets.scaled import ScaledConv2d, ScaledDoubling2d

LARGEST_KERNEL = 7
"""A kernel that closes a wider gap costs more than resizing (ours)."""


class Projection(nn.Module):
    """Convolution, norm, ReLU: student maps to (batch, *teacher).

    A 3x3 convolution of stride 2 from twice the teacher's size, a transposed 4x4 one from
    half of it, otherwise one without padding whose kernel is 1 + the difference. Where that
    kernel would exceed 7 or the student's map is smaller, the map is resized and a 3x3
    convolution follows (ours). So is a map of another size than the one it was built for:
    the result always has the teacher's.

    Args:
        student: (channels, height, width) of the largest student's map.
        teacher: (channels, height, width) of the teacher's.
    """

    def __init__(self, student: tuple[int, int, int], teacher: tuple[int, int, int]) -> None:
        super().__init__()
        (inputs, *size), (outputs, *target) = student, teacher
        gap = (1 + size[0] - target[0], 1 + size[1] - target[1])
        self.size = (size[0], size[1])
        self.project: nn.Module
        if size == [2 * side for side in target]:
            self.project = ScaledConv2d(inputs, outputs, 3, stride=2, padding=1)
        elif target == [2 * side for side in size]:
            self.project = ScaledDoubling2d(inputs, outputs)
        elif all(1 <= kernel <= LARGEST_KERNEL for kernel in gap):
            self.project = ScaledConv2d(inputs, outputs, gap)
        else:
            self.size = (target[0], target[1])
            self.project = ScaledConv2d(inputs, outputs, 3, padding=1)
        self.norm = ElasticGroupNorm(outputs)

    def forward(self, maps: Tensor) -> Tensor:
        return F.relu(self.norm(self.project(resized(maps, self.size))))


def resized(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Averaged down where no side grows, otherwise interpolated bilinearly."""
    height, width = maps.shape[2:]
    if (height, width) == size:
        return maps
    if height >= size[0] and width >= size[1]:
        return F.adaptive_avg_pool2d(maps, size)
    return F.interpolate(maps, size, mode="bilinear", align_corners=False)
