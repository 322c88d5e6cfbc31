"""What a student is worth with inherited weights: carve, calibrate, score. No other way."""

from collections.abc import Sequence

from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.measure.accuracy import predict, top1
from kdsearch.nets.family import Supernet
from kdsearch.supernet.calibrate import calibrate


def inherit(
    supernet: Supernet, architecture: Architecture, batches: Sequence[Tensor]
) -> nn.Module:
    """A carved and calibrated student in eval mode, sharing nothing with the supernet."""
    student = supernet.carve(architecture)
    calibrate(student, batches)
    return student


def accuracy(
    student: nn.Module, images: Tensor, labels: Tensor, batch_size: int = 500
) -> float:
    """Top-1 accuracy in [0, 1] on normalised images."""
    return top1(predict(student, images, batch_size), labels)
