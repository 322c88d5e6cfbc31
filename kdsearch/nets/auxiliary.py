"""The auxiliary classifier of LightSKD (Wang et al., 2023, arXiv:2305.09183), which lets a
shallow stage teach the final output; after xucong-parsifal/LightSKD, backbone/adapter.py.

Ours: group instead of batch normalisation, which widths can share; a global average instead
of a fixed 4x4 one; and a chain of widths for networks that do not double theirs.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.elastic_norm import ElasticGroupNorm
from kdsearch.nets.scaled import ScaledConv2d


class Depthwise(nn.Module):
    """A 3x3 convolution of each leading channel by itself, without bias."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.widest = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        conv, width = self.widest, maps.shape[1]
        weight = conv.weight[:width]
        return F.conv2d(maps, weight, None, conv.stride, conv.padding, groups=width)


class SepConv(nn.Module):
    """Depthwise with stride 2, pointwise, norm, ReLU; depthwise, pointwise, norm, ReLU.

    The first half is as wide as the maps that come, whatever that is.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.halve = Depthwise(inputs, stride=2)
        self.mix = ScaledConv2d(inputs, inputs, 1)
        self.mix_norm = ElasticGroupNorm(inputs)
        self.spread = Depthwise(inputs, stride=1)
        self.widen = ScaledConv2d(inputs, outputs, 1)
        self.widen_norm = ElasticGroupNorm(outputs)

    def forward(self, maps: Tensor, outputs: int | None = None) -> Tensor:
        """The leading `outputs` channels, or all of them."""
        out = F.relu(self.mix_norm(self.mix(self.halve(maps), maps.shape[1])))
        return F.relu(self.widen_norm(self.widen(self.spread(out), outputs)))


class Attention(nn.Module):
    """Weighs each pixel and channel of a map by a number between 0 and 1."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = SepConv(width, width)
        self.norm = ElasticGroupNorm(width)

    def forward(self, maps: Tensor) -> Tensor:
        out = F.relu(self.norm(self.conv(maps, maps.shape[1])))
        whole = F.interpolate(out, maps.shape[2:], mode="bilinear", align_corners=False)
        return maps * whole.sigmoid()


class AuxiliaryClassifier(nn.Module):
    """Logits (batch, classes) of one stage's feature maps (batch, channels, height, width).

    Args:
        width: channels of the stage in the largest student; narrower maps are taken too and
            keep their width up to the chain's first widening.
        stage: which one, from 1; not the last.
        stages: how many the network has.
        classes: of the logits.
        final_width: channels of the last stage in the largest student.
    """

    def __init__(
        self, width: int, stage: int, stages: int, classes: int, final_width: int
    ) -> None:
        super().__init__()
        assert 1 <= stage < stages
        widths = chain(width, final_width, stages - stage)
        self.attention = Attention(width)
        self.scala = nn.Sequential(
            *(SepConv(a, b) for a, b in zip(widths, widths[1:], strict=False))
        )
        self.classifier = nn.Linear(final_width, classes)

    def forward(self, maps: Tensor) -> Tensor:
        out = self.scala(self.attention(maps)).mean((2, 3))
        logits: Tensor = self.classifier(out)
        return logits


def chain(width: int, final_width: int, steps: int) -> list[int]:
    """From one width to the other in equal ratios, rounded: doubling where networks double."""
    ratio = final_width / width
    return [round(width * ratio ** (step / steps)) for step in range(steps + 1)]
