"""Resolution as a choice: a student may see its images smaller than they come.

The axis `resolution` of a space (Cai et al., 2020, arXiv:1908.09791, sec. 3.1: elastic
resolution). Shrinking is the student's own first layer (ours), so that every student takes the
same images, and what shrinking costs is measured and exported with it.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Architecture

AXIS = "resolution"


class Resize(nn.Module):
    """Images brought to `side` pixels, bilinearly; 0 leaves them as they are."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, images: Tensor) -> Tensor:
        if self.side == 0:
            return images
        return F.interpolate(images, (self.side, self.side), mode="bilinear")

    def extra_repr(self) -> str:
        return str(self.side)


def side_of(architecture: Architecture) -> int:
    """The side in pixels that a student works at; 0: that of the images."""
    return int(architecture.as_dict().get(AXIS, 0))
