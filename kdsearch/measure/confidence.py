"""How sure a network is: calibration error and entropy of its probabilities."""

import torch
import torch.nn.functional as F
from torch import Tensor

BINS = 15


def calibration_error(scores: Tensor, labels: Tensor) -> float:
    """Expected calibration error (Guo et al., 2017, arXiv:1706.04599, eq. 3), 15 bins.

    Args:
        scores: logits (n, classes).
    """
    sure, said = F.softmax(scores.double(), dim=1).max(1)
    gaps = (said == labels).double() - sure
    bins = (sure * BINS).ceil().long().clamp(1, BINS) - 1
    sums = torch.zeros(BINS, dtype=torch.float64, device=scores.device)
    return float(sums.index_add(0, bins, gaps).abs().sum()) / len(labels)


def mean_entropy(scores: Tensor) -> float:
    """Of the softmax, in nats; ln(classes) where nothing is known."""
    logs = F.log_softmax(scores.double(), dim=1)
    return float(-(logs.exp() * logs).sum(1).mean())
