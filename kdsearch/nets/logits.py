"""A network that hands over its logits alone: what a runtime runs and an export contains."""

from torch import Tensor, nn

from kdsearch.output import Output


class Logits(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        out = self.network(images)
        logits = out.logits if isinstance(out, Output) else out
        assert isinstance(logits, Tensor), "a headless network has no logits to hand over"
        return logits
