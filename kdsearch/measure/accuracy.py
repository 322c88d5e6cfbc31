"""Top-1 accuracy and its interval."""

import math

import torch
from torch import Tensor, nn

from kdsearch.nets.evaluating import evaluating
from kdsearch.nets.logits import Logits


def predict(module: nn.Module, images: Tensor, batch_size: int) -> Tensor:
    """Float32 logits (n, classes) in evaluation mode, without gradients, on the images' device.

    Args:
        module: gives an Output or logits; every part of it keeps the mode it was in.
        images: normalised, (n, channels, height, width).
    """
    network = Logits(module)
    with evaluating(network), torch.no_grad():
        return torch.cat([network(batch).float() for batch in torch.split(images, batch_size)])


def correct(scores: Tensor, labels: Tensor) -> int:
    """How many of the images score highest at their label; scores are (n, classes)."""
    return int((scores.argmax(1) == labels).sum())


def top1(scores: Tensor, labels: Tensor) -> float:
    """Share of the images that score highest at their label, in [0, 1]."""
    return correct(scores, labels) / len(labels)


def wilson_ci95(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share `hits / n` (Wilson, 1927, JASA 22:209-212)."""
    z = 1.959963984540054
    share, square = hits / n, z * z / n
    centre = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / n + square / (4 * n)) / (1 + square)
    return max(0.0, centre - half), min(1.0, centre + half)
