"""Elastic layers: weights for the widest case, sliced to the leading channels in use.

A slice of output channels is an argument of the call; input channels come from the tensor
(Cai et al., 2020, arXiv:1908.09791, sec. 3.3; Yu & Huang, 2019, arXiv:1903.05134).
`carve` copies a slice into the plain layer of torch that computes the same.
"""

from collections.abc import Callable
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.pointwise import pointwise

Layer = TypeVar("Layer", bound=nn.Module)


def cut(widest: nn.Module, make: Callable[[], Layer]) -> Layer:
    """The layer that `make` builds, filled with the leading slices of the widest one's tensors.

    Draws no random numbers and stays on the widest one's device.
    """
    source = widest.state_dict()
    with torch.device("meta"):
        outline = make()
    plain = outline.to_empty(device=next(iter(source.values())).device)
    with torch.no_grad():
        for name, target in plain.state_dict().items():
            target.copy_(source[name][tuple(slice(0, n) for n in target.shape)])
    return plain


class ElasticConv2d(nn.Module):
    """A convolution, same padding, whose output channels are chosen per call."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, bias: bool = False
    ) -> None:
        super().__init__()
        self.widest = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=bias)

    def forward(self, images: Tensor, outputs: int) -> Tensor:
        conv = self.widest
        weight = conv.weight[:outputs, : images.shape[1]]
        bias = None if conv.bias is None else conv.bias[:outputs]
        if conv.kernel_size == conv.stride == (1, 1):
            return pointwise(images, weight, bias)
        return F.conv2d(images, weight, bias, conv.stride, conv.padding)

    def carve(self, inputs: int, outputs: int) -> nn.Conv2d:
        kernel, _ = self.widest.kernel_size
        stride, _ = self.widest.stride
        bias = self.widest.bias is not None
        return cut(
            self.widest,
            lambda: nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=bias),
        )


class ElasticBatchNorm2d(nn.Module):
    """Batch normalisation of the leading channels; its statistics are shared by all widths.

    Shared running statistics serve no width well: a carved net is calibrated before it is
    scored (supernet/calibrate.py).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.widest = nn.BatchNorm2d(channels)

    def forward(self, images: Tensor) -> Tensor:
        norm, width = self.widest, images.shape[1]
        assert norm.running_mean is not None and norm.running_var is not None
        return F.batch_norm(
            images,
            norm.running_mean[:width],
            norm.running_var[:width],
            norm.weight[:width],
            norm.bias[:width],
            self.training,
            norm.momentum or 0.0,
            norm.eps,
        )

    def carve(self, width: int) -> nn.BatchNorm2d:
        norm = self.widest
        return cut(norm, lambda: nn.BatchNorm2d(width, eps=norm.eps, momentum=norm.momentum))


class ElasticLinear(nn.Module):
    """A linear layer over the leading input features, the last dimension of what it takes.

    It gives the leading `outputs`, or all of them: a classifier's are always in use.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.widest = nn.Linear(inputs, outputs)

    def forward(self, features: Tensor, outputs: int | None = None) -> Tensor:
        weight, bias = self.widest.weight, self.widest.bias
        return F.linear(features, weight[:outputs, : features.shape[-1]], bias[:outputs])

    def carve(self, inputs: int, outputs: int | None = None) -> nn.Linear:
        return cut(self.widest, lambda: nn.Linear(inputs, outputs or self.widest.out_features))
