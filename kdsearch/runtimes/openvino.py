"""OpenVINO on the processor; it comes with the extra `openvino`."""

from functools import cache
from importlib import metadata, util
from typing import Any

from torch import Tensor, nn

from kdsearch.runtimes.runtime import Array, Call, Calling, Prepared
from kdsearch.runtimes.traced import traced

HINTS = {"float32": "f32", "bf16": "bf16"}


class OpenVino:
    name = "openvino"
    precisions = tuple(HINTS)
    layouts = ("contiguous",)
    on_gpu = False

    def lacks(self, calling: Calling) -> str:
        if util.find_spec("openvino") is None:
            return "OpenVINO is not installed; pip install 'kdsearch[openvino]'"
        if calling.precision == "bf16" and "BF16" not in capabilities():
            return "precision: bf16, and this processor has none; float32 it has"
        return ""

    def prepare(self, module: nn.Module, example: Tensor, calling: Calling) -> Prepared:
        """See `Runtime.prepare`."""
        return Prepared(request(traced(module, example), calling))

    def version(self) -> str:
        return metadata.version("openvino")


@cache
def core() -> Any:
    """OpenVINO's entry, one for the whole process.

    Each gives the thread a signal stack of its own, and when it goes puts back the one that it
    found: that of another entry, perhaps, whose memory is gone. A Ctrl-C after that is a crash
    (OpenVINO 2026.4; sigaltstack(2)).
    """
    import openvino

    return openvino.Core()


def capabilities() -> list[str]:
    """What OpenVINO can compute with on this processor: FP32, INT8, BF16, …"""
    found: list[str] = core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return found


def request(model: bytes, calling: Calling) -> Call:
    """A callable for an ONNX model whose one input are images, one output logits.

    Without OpenVINO's converter, which would tell its makers over the network that it was used.
    """
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": calling.threads,
        # Left alone it takes bf16 where the processor has it, whatever the weights are.
        "INFERENCE_PRECISION_HINT": HINTS[calling.precision],
    }
    compiled = core().compile_model(core().read_model(model), "CPU", settings)
    opened = compiled.create_infer_request()

    def call(images: Array) -> Array:
        opened.infer({0: images})
        logits: Array = opened.get_output_tensor(0).data.copy()
        return logits

    return call
