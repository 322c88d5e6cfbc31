"""OpenVINO's own format, in float32, for Intel's processors."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from kdsearch.export.extras import need
from kdsearch.export.format import Spec
from kdsearch.export.original import Original, quiet
from kdsearch.runtimes.openvino import core
from kdsearch.runtimes.runtime import Array, Call

USAGE = """import openvino

network = openvino.Core().compile_model("model.xml", "CPU")
logits = network(images)[0]"""


class OpenVino:
    name = "openvino"
    files = ("model.xml", "model.bin")
    is_quantised = False
    is_graph = True
    extra = "openvino"
    usage = USAGE

    def check(self, spec: Spec) -> None:
        """See `Format.check`."""
        need("openvino", self.name, extra=self.extra)

    def write(self, original: Original, folder: Path) -> dict[str, Any]:
        """See `Format.write`: converted from the ONNX of the same student."""
        import openvino

        model = core().read_model(original.onnx.SerializeToString())
        with quiet():
            openvino.save_model(model, folder / self.files[0], compress_to_fp16=False)
        return {}

    def guard(self, folder: Path, spec: Spec) -> None:
        """See `Format.guard`: a graph of known operations."""

    def load(self, folder: Path, *, threads: int = 1) -> Call:
        """See `Format.load`; in float32 also where a processor is faster in bfloat16."""
        options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        network = core().compile_model(folder / self.files[0], "CPU", options)

        def call(images: Array) -> Array:
            logits: Array = np.array(network(np.ascontiguousarray(images))[0])
            return logits

        return call

    def runtime(self) -> str:
        return f"OpenVINO {version('openvino')}"
