"""Another image of the same class for each of a batch: a pure function of a seed."""

import torch
from torch import Tensor


def partners(labels: Tensor, chosen: Tensor, seed: int) -> Tensor:
    """int64 (batch,): for each position chosen, one of the same class, drawn evenly.

    It may be the same image, as in CS-KD (Yun et al., 2020, arXiv:2003.13964); where a class
    has but one it always is.
    """
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand(len(chosen), generator=generator)
    labels = labels.cpu()
    order = torch.argsort(labels, stable=True)
    counts = torch.bincount(labels)
    starts = counts.cumsum(0) - counts
    own = labels[chosen.cpu()]
    return order[starts[own] + (draws * counts[own]).long()]
