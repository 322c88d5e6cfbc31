"""Family `vit`: vision transformers without a class token, 3 or 4 stages of equal resolution.

Elastic embedding, heads, perceptron and depth after AutoFormer (Chen et al., 2021,
arXiv:2107.00651, sec. 3), whose heads and perceptron are chosen for every block and whose depth
is one number. Ours: each stage has its own, so that feature maps can be tapped where stages
end and a space stays small.

Axes: `patch` (pixels, one value), `embedding` (features of a token), and for each stage `depth`
(blocks), `heads` (of 16 features) and `mlp` (the perceptron's width as a multiple of the
embedding). A space may have the axis `resolution` too. An elastic stage runs its first `depth`
blocks. Every stage starts with positions (nets/patches.py); the tokens' mean after a last layer
norm is classified. Nothing here keeps statistics: there is nothing to calibrate.
"""

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.nets import vit_shape
from kdsearch.nets.elastic_vit import ElasticVisionTransformer
from kdsearch.nets.vision_transformer import VisionTransformer


class VitFamily:
    """`vit`: one embedding and patch; heads, MLP ratio and depth per stage."""

    name = "vit"
    shares_weights = True

    def check(self, space: Space) -> None:
        """Raises UserError unless the axes are those above."""
        vit_shape.check(space)

    def supernet(self, space: Space, channels: int, classes: int) -> ElasticVisionTransformer:
        self.check(space)
        return ElasticVisionTransformer(Architecture.of(space.largest()), channels, classes)

    def student(
        self, architecture: Architecture, channels: int, classes: int
    ) -> VisionTransformer:
        return VisionTransformer(vit_shape.shape_of(architecture), channels, classes)

    def wider(self, architecture: Architecture, factor: float) -> Architecture:
        """See `Family.wider`; more heads rather than larger ones."""
        return vit_shape.wider(architecture, factor)
