"""PyTorch as it is: the network's own forward, without gradients."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from kdsearch.runtimes.runtime import Array, Call


class Eager:
    name = "eager"

    def prepare(self, module: nn.Module, example: Tensor, *, threads: int) -> Call:
        """See `Runtime.prepare`; takes batches of any size."""
        network = copy.deepcopy(module).cpu().eval()

        def call(images: Array) -> Array:
            with pinned(threads), torch.inference_mode():
                logits: Tensor = network(torch.from_numpy(images))
            array: Array = logits.numpy()
            return array

        return call

    def version(self) -> str:
        return str(torch.__version__)


@contextmanager
def pinned(threads: int) -> Iterator[None]:
    """PyTorch's thread count inside the block; the old one comes back (0.1 µs each way)."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
