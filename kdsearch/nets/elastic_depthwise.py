"""Depthwise convolution whose kernel is a choice: Cai et al., 2020, arXiv:1908.09791, sec. 3.3.

A smaller kernel is the centre of the largest one. With a kernel transform it is cut out step by
step, and after each cut a learned matrix, one per size and shared by all channels, mixes its
weights.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.depthwise import centre, depthwise


class ElasticDepthwise2d(nn.Module):
    """Without bias, same padding; channels come from the tensor, the kernel with the call.

    Args:
        channels: of the widest student.
        kernels: the odd sizes that may be asked for.
        stride: the same for every kernel.
        transform: whether matrices, the identity at first, mix the weights of smaller kernels.
    """

    def __init__(
        self, channels: int, kernels: Sequence[int], stride: int = 1, *, transform: bool = False
    ) -> None:
        super().__init__()
        largest, *smaller = sorted(kernels, reverse=True)
        self.widest = nn.Conv2d(
            channels, channels, largest, stride, largest // 2, groups=channels, bias=False
        )
        self.matrices = nn.ParameterDict(
            {str(k): torch.eye(k * k) for k in (smaller if transform else ())}
        )

    def weight(self, channels: int, kernel: int) -> Tensor:
        """(channels, 1, kernel, kernel): what a plain depthwise convolution would hold."""
        weight = self.widest.weight[:channels]
        for size in sorted(map(int, self.matrices), reverse=True):
            if size >= kernel:
                flat = centre(weight, size).flatten(1)
                mixed = F.linear(flat, self.matrices[str(size)])
                weight = mixed.view(channels, 1, size, size)
        return centre(weight, kernel)

    def forward(self, maps: Tensor, kernel: int) -> Tensor:
        stride, _ = self.widest.stride
        return depthwise(maps, self.weight(maps.shape[1], kernel), stride)

    def carve(self, channels: int, kernel: int) -> nn.Conv2d:
        stride, _ = self.widest.stride
        with torch.device("meta"):
            outline = nn.Conv2d(
                channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False
            )
        plain = outline.to_empty(device=self.widest.weight.device)
        with torch.no_grad():
            plain.weight.copy_(self.weight(channels, kernel))
        return plain
