"""ONNX Runtime on the processor: what most deployments of a small network use."""

import onnxruntime
from torch import Tensor, nn

from kdsearch.runtimes.runtime import Calling, Prepared
from kdsearch.runtimes.session import session
from kdsearch.runtimes.traced import traced


class OnnxRuntime:
    name = "onnxruntime"
    precisions = ("float32",)
    layouts = ("contiguous",)
    on_gpu = False

    def lacks(self, calling: Calling) -> str:
        return ""

    def prepare(self, module: nn.Module, example: Tensor, calling: Calling) -> Prepared:
        """See `Runtime.prepare`."""
        return Prepared(session(traced(module, example), threads=calling.threads))

    def version(self) -> str:
        return str(onnxruntime.__version__)
