"""Every student of a `vit` space in one set of weights (see nets/vit.py)."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.nets.elastic import ElasticLinear
from kdsearch.nets.elastic_layernorm import ElasticLayerNorm
from kdsearch.nets.family import Segment
from kdsearch.nets.patches import ElasticPatches, ElasticPositions
from kdsearch.nets.resolution import Resize
from kdsearch.nets.transformer_block import ElasticTransformerBlock, tokens_of
from kdsearch.nets.vision_transformer import Head, VisionTransformer, initialise
from kdsearch.nets.vit_shape import Shape, Stage, shape_of
from kdsearch.output import Output


class ElasticStage(nn.Module):
    """Positions and the most blocks of one stage; a student has the first few of them."""

    def __init__(self, largest: Stage) -> None:
        super().__init__()
        depth, sizes = largest
        self.positions = ElasticPositions(sizes.width)
        self.blocks = nn.ModuleList(ElasticTransformerBlock(sizes) for _ in range(depth))

    def active(self, depth: int) -> Iterator[ElasticTransformerBlock]:
        for block in list(self.blocks)[:depth]:
            assert isinstance(block, ElasticTransformerBlock)
            yield block

    def forward(self, maps: Tensor, stage: Stage) -> Tensor:
        out: Tensor = self.positions(maps)
        for block in self.active(stage.depth):
            out = block(out, stage.sizes)
        return out

    def carve(self, stage: Stage) -> nn.Sequential:
        blocks = (block.carve(stage.sizes) for block in self.active(stage.depth))
        return nn.Sequential(self.positions.carve(stage.sizes.width), *blocks)


class ElasticVisionTransformer(nn.Module):
    """See `Supernet`."""

    def __init__(self, largest: Architecture, channels: int, classes: int) -> None:
        super().__init__()
        shape = shape_of(largest)
        self.channels, self.classes = channels, classes
        self.patches = ElasticPatches(channels, shape.width, shape.patch)
        self.stages = nn.ModuleList(ElasticStage(stage) for stage in shape.stages)
        self.norm = ElasticLayerNorm(shape.width)
        self.classifier = ElasticLinear(shape.width, classes)
        initialise(self)

    def _staged(self, shape: Shape) -> Iterator[tuple[ElasticStage, Stage]]:
        for elastic, stage in zip(self.stages, shape.stages, strict=True):
            assert isinstance(elastic, ElasticStage)
            yield elastic, stage

    def forward(self, images: Tensor, architecture: Architecture) -> Output:
        shape = shape_of(architecture)
        maps = self.patches(Resize(shape.side)(images), shape.width)
        return self.forward_from(0, maps, architecture)

    def forward_from(self, stage: int, maps: Tensor, architecture: Architecture) -> Output:
        """See `Supernet.forward_from`; after stage 0 stand the patches."""
        feats = []
        for elastic, wanted in list(self._staged(shape_of(architecture)))[stage:]:
            maps = elastic(maps, wanted)
            feats.append(maps)
        pooled = self.norm(tokens_of(maps)).mean(1)
        return Output(self.classifier(pooled), tuple(feats), pooled)

    def shapes(self, architecture: Architecture, side: int) -> list[tuple[int, int, int]]:
        """See `Supernet.shapes`; every stage has the patches' map."""
        shape = shape_of(architecture)
        tokens = (shape.side or side) // shape.patch
        return [(shape.width, tokens, tokens)] * len(shape.stages)

    def segments(self, architecture: Architecture) -> list[Segment]:
        """See `Supernet.segments`."""
        shape = shape_of(architecture)
        width = shape.width
        pieces = [Segment((shape.side, width), partial(self._stem, shape.side, width))]
        for s, (elastic, (depth, sizes)) in enumerate(self._staged(shape)):
            pieces.append(Segment((s,), partial(elastic.positions.carve, width)))
            for b, block in enumerate(elastic.active(depth)):
                key = (s, b, sizes.heads, sizes.hidden)
                pieces.append(Segment(key, partial(block.carve, sizes)))
        return [*pieces, Segment((len(shape.stages),), partial(self._head, width))]

    def _stem(self, side: int, width: int) -> nn.Sequential:
        return nn.Sequential(Resize(side), self.patches.carve(width))

    def _head(self, width: int) -> Head:
        return Head(self.norm.carve(width), self.classifier.carve(width))

    def carve(self, architecture: Architecture) -> nn.Module:
        """See `Supernet.carve`."""
        shape = shape_of(architecture)
        with torch.device("meta"):  # an outline: every part of it is replaced below
            plain = VisionTransformer(shape, self.channels, self.classes)
        plain.patches = self.patches.carve(shape.width)
        for s, (elastic, stage) in enumerate(self._staged(shape)):
            plain.stages[s] = elastic.carve(stage)
        plain.norm = self.norm.carve(shape.width)
        plain.classifier = self.classifier.carve(shape.width)
        return plain.train(self.training)
