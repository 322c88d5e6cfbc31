"""PyTorch on a GPU of NVIDIA's, timed there: a network that is launched part by part.

Written with care and never run on a GPU by its authors.
"""

from functools import partial

import torch
from torch import Tensor, nn

from kdsearch.runtimes import gpu
from kdsearch.runtimes.placed import LAYOUTS, PRECISIONS, array, placed, tensor
from kdsearch.runtimes.runtime import Array, Calling, Prepared


class CudaEvents:
    name = "cuda-events"
    precisions = tuple(PRECISIONS)
    layouts = tuple(LAYOUTS)
    on_gpu = True

    def lacks(self, calling: Calling) -> str:
        return gpu.missing()

    def prepare(self, module: nn.Module, example: Tensor, calling: Calling) -> Prepared:
        """See `Runtime.prepare`; takes batches of any size."""
        network = placed(module, calling, "cuda")

        def call(images: Array) -> Array:
            with torch.inference_mode():
                return array(network(tensor(images, calling, "cuda")))

        def seconds(images: Array) -> float:
            with torch.inference_mode():
                return gpu.back_to_back(partial(network, tensor(images, calling, "cuda")))

        return Prepared(call, seconds)

    def version(self) -> str:
        return gpu.version()
