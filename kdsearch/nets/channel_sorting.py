"""Channel sorting: Cai et al., 2020, arXiv:1908.09791, sec. 3.2 (elastic width).

Brings the most important hidden channels to the front, where narrower students take them from,
before training opens smaller expansions. Importance of a hidden channel: the L1 norm of the
weights that the block's last convolution has for it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kdsearch.nets.divisible import make_divisible
from kdsearch.nets.inverted_bottleneck import ElasticInvertedBottleneck
from kdsearch.nets.squeeze_excite import squeezed


@torch.no_grad()
def sort_channels(net: nn.Module, opened: Sequence[float] = ()) -> None:
    """Permutes the hidden channels of every inverted bottleneck in place; none: does nothing.

    The largest student computes what it did before; one with fewer hidden channels in a block
    now gets other ones there. Whatever an optimiser or an average keeps beside the weights is
    not permuted: start those afresh.

    Args:
        net: a supernet.
        opened: smaller expansions that are trained already: no channel leaves the band between
            two of them, counted at the block's largest input width, so that the students of
            these expansions and largest widths stay the same, too.
    """
    for block in net.modules():
        if isinstance(block, ElasticInvertedBottleneck):
            widths = [make_divisible(block.widest.inputs * ratio) for ratio in opened]
            reorder(block, widths)


def importance(weight: Tensor) -> Tensor:
    """L1 norm of a convolution's weights, by its input channel."""
    return weight.abs().sum((0, 2, 3))


def descending(values: Tensor, ends: Sequence[int] = ()) -> Tensor:
    """Indices that sort from large to small within each band; `ends` says where bands end."""
    edges = sorted({0, *ends, len(values)})
    bands = [
        low + values[low:high].argsort(descending=True, stable=True)
        for low, high in zip(edges, edges[1:], strict=False)
    ]
    return torch.cat(bands)


def reorder(block: ElasticInvertedBottleneck, widths: Sequence[int]) -> None:
    """Sorts hidden channels, and the middle of squeeze-and-excitation, within bands."""
    order = descending(importance(block.project.widest.weight), widths)
    permute(block.expand.widest, order)
    permute(block.norm1.widest, order)
    permute(block.depthwise.widest, order)
    permute(block.norm2.widest, order)
    permute_inputs(block.project.widest, order)
    if block.squeeze is not None:
        reduce, expand = block.squeeze.reduce.widest, block.squeeze.expand.widest
        permute_inputs(reduce, order)
        permute(expand, order)
        middle = descending(importance(expand.weight), [squeezed(width) for width in widths])
        permute(reduce, middle)
        permute_inputs(expand, middle)


def permute(layer: nn.Module, order: Tensor) -> None:
    """Reorders the outputs of a convolution or the channels of a norm, in place."""
    for value in layer.state_dict().values():
        if value.ndim:  # the count of batches is one number
            value.copy_(value[order])


def permute_inputs(convolution: nn.Conv2d, order: Tensor) -> None:
    convolution.weight.copy_(convolution.weight[:, order])
