"""What a student is worth with inherited weights: carve, calibrate, score. No other way."""

from collections.abc import Sequence

from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.measure.accuracy import predict
from kdsearch.supernet.calibrate import calibrate


def inherit(
    supernet: nn.Module, architecture: Architecture, batches: Sequence[Tensor]
) -> nn.Module:
    """A carved and calibrated student in eval mode, sharing nothing with the supernet."""
    student: nn.Module = supernet.carve(architecture)  # type: ignore[operator]
    calibrate(student, batches)
    return student


def accuracy(
    student: nn.Module, images: Tensor, labels: Tensor, batch_size: int = 500
) -> float:
    """Top-1 accuracy in [0, 1] on normalised images."""
    logits = predict(student, images, batch_size)
    return float((logits.argmax(1) == labels.to(logits.device)).float().mean())
