"""ONNX Runtime on a GPU of NVIDIA's, images copied there and logits back.

Written with care and never run on a GPU by its authors.
"""

import onnxruntime
from torch import Tensor, nn

from kdsearch.runtimes.runtime import Calling, Prepared
from kdsearch.runtimes.session import session
from kdsearch.runtimes.traced import traced

PROVIDER = "CUDAExecutionProvider"


class OnnxRuntimeCuda:
    name = "onnxruntime-cuda"
    precisions = ("float32",)
    layouts = ("contiguous",)
    on_gpu = True

    def lacks(self, calling: Calling) -> str:
        if PROVIDER in onnxruntime.get_available_providers():
            return ""
        return (
            "this build of ONNX Runtime has no CUDA provider; pip install onnxruntime-gpu "
            "(instead of onnxruntime)"
        )

    def prepare(self, module: nn.Module, example: Tensor, calling: Calling) -> Prepared:
        """See `Runtime.prepare`; what the GPU cannot do would stop here, not fall back."""
        model = traced(module, example)
        return Prepared(session(model, threads=calling.threads, providers=(PROVIDER,)))

    def version(self) -> str:
        return str(onnxruntime.__version__)
