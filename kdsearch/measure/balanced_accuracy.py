"""Balanced accuracy: mean recall of the classes (Brodersen et al., 2010, ICPR, pp. 3121-3124).

For several classes as scikit-learn has it, not adjusted for chance.
"""

import torch
from torch import Tensor


def balanced_accuracy(scores: Tensor, labels: Tensor) -> float:
    """In [0, 1]; a class without images has no recall and does not count.

    Args:
        scores: logits (n, classes).
        labels: (n,), at least one.
    """
    classes = scores.shape[1]
    there = torch.bincount(labels, minlength=classes)
    hits = torch.bincount(labels[scores.argmax(1) == labels], minlength=classes)
    return float((hits[there > 0].double() / there[there > 0]).mean())
