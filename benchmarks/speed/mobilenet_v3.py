"""The MobileNetV3 space of the package `ofa`, out of kdsearch's elastic layers.

Shapes, activations and squeeze-and-excitation as its OFAMobileNetV3 has them (Cai et al., 2020,
arXiv:1908.09791, mit-han-lab/once-for-all, elastic_nn/networks/ofa_mbv3.py); written anew.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.nets.divisible import make_divisible
from kdsearch.nets.elastic import ElasticBatchNorm2d, ElasticConv2d, ElasticLinear
from kdsearch.nets.elastic_depthwise import ElasticDepthwise2d
from kdsearch.nets.squeeze_excite import ElasticSqueezeExcite
from kdsearch.output import Output

KERNELS, EXPANSIONS, DEPTHS = (3, 5, 7), (3, 4, 6), (2, 3, 4)


class Stage(NamedTuple):
    width: int
    stride: int
    activation: Callable[[Tensor], Tensor]
    squeezes: bool


STAGES = (
    Stage(24, 2, F.relu, False),
    Stage(40, 2, F.relu, True),
    Stage(80, 2, F.hardswish, False),
    Stage(112, 1, F.hardswish, True),
    Stage(160, 2, F.hardswish, True),
)
STEM, FINAL, LAST = 16, 960, 1280

SPACE = Space(
    {f"stage{s}.depth": Choice(DEPTHS) for s in range(1, 6)}
    | {f"stage{s}.block{b}.kernel": Choice(KERNELS) for s in range(1, 6) for b in range(1, 5)}
    | {
        f"stage{s}.block{b}.expand": Choice(EXPANSIONS)
        for s in range(1, 6)
        for b in range(1, 5)
    }
)


class Block(nn.Module):
    """An inverted bottleneck of every kernel and expansion."""

    def __init__(self, inputs: int, stage: Stage, stride: int, *, transform: bool) -> None:
        super().__init__()
        hidden = make_divisible(inputs * max(EXPANSIONS))
        self.stage = stage
        self.shortcut = stride == 1 and inputs == stage.width
        self.expand = ElasticConv2d(inputs, hidden, 1)
        self.norm1 = ElasticBatchNorm2d(hidden)
        self.depthwise = ElasticDepthwise2d(hidden, KERNELS, stride, transform=transform)
        self.norm2 = ElasticBatchNorm2d(hidden)
        self.squeeze = ElasticSqueezeExcite(hidden) if stage.squeezes else None
        self.project = ElasticConv2d(hidden, stage.width, 1)
        self.norm3 = ElasticBatchNorm2d(stage.width)

    def forward(self, maps: Tensor, kernel: int, expand: int) -> Tensor:
        hidden, activation = make_divisible(maps.shape[1] * expand), self.stage.activation
        out = activation(self.norm1(self.expand(maps, hidden)))
        out = activation(self.norm2(self.depthwise(out, kernel)))
        if self.squeeze is not None:
            out = self.squeeze(out)
        out = self.norm3(self.project(out, self.stage.width))
        return out + maps if self.shortcut else out


class ElasticMobileNetV3(nn.Module):
    """Every student of SPACE in one set of weights; for training alone."""

    def __init__(self, classes: int, *, transform: bool) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, STEM, 3, 2, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(STEM)
        self.depthwise = nn.Conv2d(STEM, STEM, 3, padding=1, groups=STEM, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(STEM)
        self.project = nn.Conv2d(STEM, STEM, 1, bias=False)
        self.project_norm = nn.BatchNorm2d(STEM)
        self.stages = nn.ModuleList()
        inputs = STEM
        for stage in STAGES:
            blocks = []
            for number in range(max(DEPTHS)):
                stride = 1 if number else stage.stride
                blocks.append(Block(inputs, stage, stride, transform=transform))
                inputs = stage.width
            self.stages.append(nn.ModuleList(blocks))
        self.final = ElasticConv2d(inputs, FINAL, 1)
        self.final_norm = nn.BatchNorm2d(FINAL)
        self.last = ElasticConv2d(FINAL, LAST, 1)
        self.dropout = nn.Dropout(0.1)
        self.classifier = ElasticLinear(LAST, classes)

    def forward(self, images: Tensor, architecture: Architecture) -> Output:
        out = F.hardswish(self.stem_norm(self.stem(images)))
        first = F.relu(self.depthwise_norm(self.depthwise(out)))
        out = out + self.project_norm(self.project(first))
        for s, blocks in enumerate(self.stages, 1):
            assert isinstance(blocks, nn.ModuleList)
            for b, block in enumerate(list(blocks)[: int(architecture[f"stage{s}.depth"])], 1):
                name = f"stage{s}.block{b}"
                out = block(
                    out,
                    int(architecture[f"{name}.kernel"]),
                    int(architecture[f"{name}.expand"]),
                )
        out = F.hardswish(self.final_norm(self.final(out, FINAL)))
        out = F.hardswish(self.last(out.mean((2, 3), keepdim=True), LAST))
        pooled = out.flatten(1)
        return Output(self.classifier(self.dropout(pooled)), (), pooled)


class Largest(nn.Module):
    """The supernet as its largest student."""

    def __init__(self, net: ElasticMobileNetV3) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Output:
        out: Output = self.net(images, Architecture.of(SPACE.largest()))
        return out


def ofa_settings(architecture: Architecture) -> dict[str, list[int]]:
    """What OFAMobileNetV3.set_active_subnet takes, for the same student."""
    names = [f"stage{s}.block{b}" for s in range(1, 6) for b in range(1, 5)]
    return {
        "ks": [int(architecture[f"{name}.kernel"]) for name in names],
        "e": [int(architecture[f"{name}.expand"]) for name in names],
        "d": [int(architecture[f"stage{s}.depth"]) for s in range(1, 6)],
    }


def copy_weights(theirs: Any, ours: ElasticMobileNetV3) -> None:
    """Fills ours with the parameters of an OFAMobileNetV3; statistics are left alone."""
    with torch.no_grad():
        for source, target in zip(ordered(theirs), ordered(ours), strict=True):
            target.copy_(source)


def ordered(net: nn.Module) -> list[nn.Parameter]:
    """Parameters from stem to classifier, those that mix kernels at the end, large to small.

    Both nets register all others in the order of their use.
    """
    named = list(net.named_parameters())
    mixing = [p for name, p in named if "matri" in name]
    rest = [p for name, p in named if "matri" not in name]
    return rest + [p for size in (25, 9) for p in mixing if len(p) == size]
