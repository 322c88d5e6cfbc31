"""A student with inherited weights: carved and calibrated."""

from collections.abc import Sequence

from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.nets.family import Supernet
from kdsearch.supernet.calibrate import calibrate


def inherit(
    supernet: Supernet, architecture: Architecture, batches: Sequence[Tensor]
) -> nn.Module:
    """A carved and calibrated student in eval mode, sharing nothing with the supernet."""
    student = supernet.carve(architecture)
    calibrate(student, batches)
    return student
