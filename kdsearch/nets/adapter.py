"""A teacher's feature map in the place of one that a student's stage would give: the feature
transform of student-friendly teachers (Park, Cha, Kim & Han, 2021, arXiv:2102.07650), as we
recall it: convolution, batch norm, ReLU; for every width of a family, which is ours.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.nets.elastic import ElasticBatchNorm2d
from kdsearch.nets.projection import resized
from kdsearch.nets.scaled import ScaledConv2d, ScaledDoubling2d

Shape = tuple[int, int, int]


class Adapter(nn.Module):
    """A 1x1 convolution between maps of one size, a 3x3 one of stride 2 to half the size, a
    transposed 4x4 one to twice the size; otherwise the map is resized and a 3x3 one follows.

    Args:
        teacher: (channels, height, width) of the teacher's map.
        student: that of the largest student.
    """

    def __init__(self, teacher: Shape, student: Shape) -> None:
        super().__init__()
        (inputs, *size), (outputs, *target) = teacher, student
        self.size = (size[0], size[1])
        self.adapt: ScaledConv2d | ScaledDoubling2d
        if size == target:
            self.adapt = ScaledConv2d(inputs, outputs, 1)
        elif size == [2 * side for side in target]:
            self.adapt = ScaledConv2d(inputs, outputs, 3, stride=2, padding=1)
        elif target == [2 * side for side in size]:
            self.adapt = ScaledDoubling2d(inputs, outputs)
        else:
            self.size = (target[0], target[1])
            self.adapt = ScaledConv2d(inputs, outputs, 3, padding=1)
        self.norm = ElasticBatchNorm2d(outputs)

    def forward(self, maps: Tensor, shape: Shape) -> Tensor:
        """The map of a student whose own is of `shape`; a smaller one's is resized to it."""
        channels, height, width = shape
        adapted = F.relu(self.norm(self.adapt(resized(maps, self.size), channels)))
        return resized(adapted, (height, width))
