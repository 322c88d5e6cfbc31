"""One student of family `vit`: plain layers, free-standing (see nets/vit.py)."""

from torch import Tensor, nn

from kdsearch.nets.elastic_attention import Projections
from kdsearch.nets.layer_scale import LayerScale
from kdsearch.nets.patches import Positions, patches
from kdsearch.nets.resolution import Resize
from kdsearch.nets.transformer_block import TransformerBlock, tokens_of
from kdsearch.nets.vit_shape import Shape
from kdsearch.output import Output

DRAWN = (nn.LayerNorm, nn.Linear, nn.Conv2d, Projections, LayerScale)
"""All that has weights of its own."""


class VisionTransformer(nn.Module):
    """feats are the token maps at the ends of its stages, before the last norm."""

    def __init__(self, shape: Shape, channels: int, classes: int) -> None:
        super().__init__()
        self.resize = Resize(shape.side)
        self.patches = patches(channels, shape.width, shape.patch)
        self.stages = nn.ModuleList(
            nn.Sequential(
                Positions(shape.width), *(TransformerBlock(sizes) for _ in range(depth))
            )
            for depth, sizes in shape.stages
        )
        self.norm = nn.LayerNorm(shape.width)
        self.classifier = nn.Linear(shape.width, classes)
        initialise(self)

    def reset_parameters(self) -> None:
        """Draws new weights, as for a new network."""
        for module in self.modules():
            if isinstance(module, DRAWN):
                module.reset_parameters()
        initialise(self)

    def forward(self, images: Tensor) -> Output:
        maps = self.patches(self.resize(images))
        feats = []
        for stage in self.stages:
            maps = stage(maps)
            feats.append(maps)
        pooled = self.norm(tokens_of(maps)).mean(1)
        return Output(self.classifier(pooled), tuple(feats), pooled)


class Head(nn.Module):
    """The last norm, the tokens' mean, and the classifier."""

    def __init__(self, norm: nn.LayerNorm, classifier: nn.Linear) -> None:
        super().__init__()
        self.norm = norm
        self.classifier = classifier

    def forward(self, maps: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.norm(tokens_of(maps)).mean(1))
        return logits


def initialise(network: nn.Module) -> None:
    """Every linear layer as in Glorot & Bengio, 2010, eq. 16; queries, keys and values each as
    a layer of their own; biases start at 0."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, Projections):
            for weight in module.weight:
                nn.init.xavier_uniform_(weight)
