"""A network that hands over its logits alone: what a runtime runs and an export contains."""

from functools import singledispatch

from torch import Tensor, nn

from kdsearch.nets.taps import Tapped
from kdsearch.output import Output


class Logits(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = bare(network)

    def forward(self, images: Tensor) -> Tensor:
        out = self.network(images)
        logits = out.logits if isinstance(out, Output) else out
        assert isinstance(logits, Tensor), "a headless network has no logits to hand over"
        return logits


@singledispatch
def bare(network: nn.Module) -> nn.Module:
    """The network without taps, which cost time and which nobody looks at who asks for logits.

    Its weights have the names that its own class gives them.
    """
    return network


@bare.register
def _(network: Tapped) -> nn.Module:
    return network.module
