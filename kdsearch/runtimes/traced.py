"""A network as ONNX at one shape, for probing."""

import copy
import io
import warnings
from typing import Any

import torch
from torch import Tensor, nn

TRACER_WARNING: type[Warning] = torch.jit._trace.TracerWarning


def traced(module: nn.Module, example: Tensor) -> bytes:
    """ONNX of a network in evaluation mode, on the processor; the module stays as it is.

    By the exporter that traces: 20 ms a network where the one that delivers takes a second,
    and ONNX Runtime is as fast on either's graph.
    """
    network = copy.deepcopy(module).cpu().eval()
    buffer: Any = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", TRACER_WARNING)  # no other shape will come
        torch.onnx.export(
            network,
            (example.cpu().contiguous(),),
            buffer,
            dynamo=False,
            input_names=["images"],
            output_names=["logits"],
        )
    model: bytes = buffer.getvalue()
    return model
