"""A module as the callable that an artefact is loaded as."""

import numpy as np
import torch
from torch import Tensor, nn

from kdsearch.runtimes.placed import pinned
from kdsearch.runtimes.runtime import Array, Call


def called(network: nn.Module, *, threads: int) -> Call:
    """Logits of a network in PyTorch as it is; the network is taken over, not copied."""

    def call(images: Array) -> Array:
        with pinned(threads), torch.no_grad():
            logits: Tensor = network(torch.from_numpy(np.ascontiguousarray(images)))
        array: Array = logits.numpy()
        return array

    return call


def pytorch() -> str:
    return f"PyTorch {torch.__version__}"
