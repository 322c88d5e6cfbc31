"""A network recorded once as a CUDA graph and replayed whole, for networks of short kernels.

Written with care and never run on a GPU by its authors.
"""

import torch
from torch import Tensor, nn

from kdsearch.runtimes import gpu
from kdsearch.runtimes.placed import LAYOUTS, PRECISIONS, array, placed, tensor
from kdsearch.runtimes.runtime import Array, Calling, Prepared

WARM_UPS = 3
"""Before recording, on another stream: libraries set themselves up (PyTorch's CUDA notes)."""


class CudaGraphs:
    name = "cuda-graphs"
    precisions = tuple(PRECISIONS)
    layouts = tuple(LAYOUTS)
    on_gpu = True

    def lacks(self, calling: Calling) -> str:
        return gpu.missing()

    def prepare(self, module: nn.Module, example: Tensor, calling: Calling) -> Prepared:
        """See `Runtime.prepare`."""
        network = placed(module, calling, "cuda")
        with torch.inference_mode():
            images_there = tensor(example.detach().cpu().numpy(), calling, "cuda")
            graph, logits = recorded(network, images_there)

        def call(images: Array) -> Array:
            with torch.inference_mode():
                images_there.copy_(tensor(images, calling, "cuda"))
                graph.replay()
                return array(logits)

        def seconds(images: Array) -> float:
            with torch.inference_mode():
                images_there.copy_(tensor(images, calling, "cuda"))
                return gpu.back_to_back(graph.replay)

        return Prepared(call, seconds)

    def version(self) -> str:
        return gpu.version()


def recorded(network: nn.Module, images: Tensor) -> tuple[torch.cuda.CUDAGraph, Tensor]:
    """The graph, which reads these images at every replay, and where its logits come."""
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UPS):
            network(images)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        logits: Tensor = network(images)
    return graph, logits
