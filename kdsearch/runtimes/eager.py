"""PyTorch as it is: the network's own forward, without gradients."""

import torch
from torch import Tensor, nn

from kdsearch.runtimes.placed import LAYOUTS, PRECISIONS, array, pinned, placed, tensor
from kdsearch.runtimes.runtime import Array, Calling, Prepared


class Eager:
    name = "eager"
    precisions = tuple(PRECISIONS)
    layouts = tuple(LAYOUTS)
    on_gpu = False

    def lacks(self, calling: Calling) -> str:
        return ""

    def prepare(self, module: nn.Module, example: Tensor, calling: Calling) -> Prepared:
        """See `Runtime.prepare`; takes batches of any size."""
        network = placed(module, calling)

        def call(images: Array) -> Array:
            with pinned(calling.threads), torch.inference_mode():
                return array(network(tensor(images, calling)))

        return Prepared(call)

    def version(self) -> str:
        return str(torch.__version__)
