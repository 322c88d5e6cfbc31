"""Layers that stand beside students in training and take whatever width a call brings.

They are sized for the widest student, use the weights of the leading input channels
(Cai et al., 2020, arXiv:1908.09791, sec. 3.3), and multiply what those give, before the bias,
by sqrt(widest / active): inputs of the same variance then give outputs of the same variance
at every width (ours). Weights of channels that a call lacks get no gradient from it.
"""

import math

import torch.nn.functional as F
from torch import Tensor, nn


class ScaledLinear(nn.Module):
    """A linear layer over the leading input features; all outputs are always in use."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.widest = nn.Linear(inputs, outputs)

    def forward(self, features: Tensor) -> Tensor:
        linear, width = self.widest, features.shape[1]
        scale = math.sqrt(linear.in_features / width)
        return scale * F.linear(features, linear.weight[:, :width]) + linear.bias


class ScaledConv2d(nn.Module):
    """A convolution without bias over the leading input channels."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: int = 0,
    ) -> None:
        super().__init__()
        self.widest = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)

    def forward(self, maps: Tensor, outputs: int | None = None) -> Tensor:
        """The leading `outputs` channels, or all of them."""
        conv, width = self.widest, maps.shape[1]
        scale = math.sqrt(conv.in_channels / width)
        weight = conv.weight[:outputs, :width]
        return scale * F.conv2d(maps, weight, None, conv.stride, conv.padding)


class ScaledDoubling2d(nn.Module):
    """A transposed 4x4 convolution without bias that doubles the map's size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.widest = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)

    def forward(self, maps: Tensor, outputs: int | None = None) -> Tensor:
        """The leading `outputs` channels, or all of them."""
        conv, width = self.widest, maps.shape[1]
        scale = math.sqrt(conv.in_channels / width)
        weight = conv.weight[:width, :outputs]
        return scale * F.conv_transpose2d(maps, weight, stride=2, padding=1)
