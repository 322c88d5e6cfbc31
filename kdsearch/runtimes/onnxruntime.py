"""ONNX Runtime on the processor: what most deployments of a small network use."""

import copy
import io
import warnings
from typing import Any

import onnxruntime
import torch
from torch import Tensor, nn

from kdsearch.runtimes.runtime import Array, Call

TRACER_WARNING: type[Warning] = torch.jit._trace.TracerWarning


class OnnxRuntime:
    name = "onnxruntime"

    def prepare(self, module: nn.Module, example: Tensor, *, threads: int) -> Call:
        """See `Runtime.prepare`."""
        network = copy.deepcopy(module).cpu().eval()
        return session(traced(network, example.cpu()), threads=threads)

    def version(self) -> str:
        return str(onnxruntime.__version__)


def traced(network: nn.Module, example: Tensor) -> bytes:
    """ONNX of a network at one shape, for probing.

    By the exporter that traces: 20 ms a network where the one that delivers takes a second,
    and ONNX Runtime is as fast on either's graph.
    """
    buffer: Any = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", TRACER_WARNING)  # no other shape will come
        torch.onnx.export(
            network,
            (example,),
            buffer,
            dynamo=False,
            input_names=["images"],
            output_names=["logits"],
        )
    model: bytes = buffer.getvalue()
    return model


def session(model: bytes, *, threads: int) -> Call:
    """A callable for an ONNX model whose one input is `images`, one output `logits`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    # Threads that wait by spinning slow down whatever else this machine runs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    opened = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def call(images: Array) -> Array:
        logits: Array = opened.run(["logits"], {"images": images})[0]
        return logits

    return call
