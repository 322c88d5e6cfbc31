"""Fresh batch-norm statistics for a carved student, whose shared ones serve no width well.

Cumulative averages over fixed batches, weights untouched (Yu & Huang, 2019, arXiv:1903.05134,
sec. 3.3, post-statistics). Acts on a carved net, never on a supernet.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from kdsearch.nets.elastic import ElasticBatchNorm2d


@torch.no_grad()
def calibrate(network: nn.Module, batches: Sequence[Tensor]) -> None:
    """Replaces running means and variances by their averages over `batches`, in place.

    A network without batch norms has none, and sees no batch.

    Args:
        network: a carved student; it is left in eval mode.
        batches: normalised images, each (batch, channels, height, width) with batch > 1.
    """
    assert not any(isinstance(m, ElasticBatchNorm2d) for m in network.modules()), (
        "a supernet is never calibrated: carve first"
    )
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    network.eval()
    if not norms:
        return
    with cumulative(norms):
        for images in batches:
            network(images)


@contextmanager
def cumulative(norms: Sequence[nn.modules.batchnorm._BatchNorm]) -> Iterator[None]:
    """Norms alone in train mode, averaging cumulatively from nothing."""
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
            norm.train()
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()
