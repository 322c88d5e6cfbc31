"""Macro-F1: the mean over classes of F1 = 2·TP / (2·TP + FP + FN), as scikit-learn has it."""

import torch
from torch import Tensor


def macro_f1(scores: Tensor, labels: Tensor) -> float:
    """In [0, 1]; a class neither shown nor ever said does not count, one that is said but
    never shown (or shown but never said) counts 0.

    Args:
        scores: logits (n, classes).
        labels: (n,), at least one.
    """
    classes, said = scores.shape[1], scores.argmax(1)
    hits = torch.bincount(labels[said == labels], minlength=classes)
    counted = torch.bincount(labels, minlength=classes)
    counted += torch.bincount(said, minlength=classes)
    return float((2 * hits[counted > 0].double() / counted[counted > 0]).mean())
