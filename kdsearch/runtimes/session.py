"""An ONNX model opened in ONNX Runtime, with its threads pinned."""

from collections.abc import Sequence

import onnxruntime

from kdsearch.errors import UserError
from kdsearch.runtimes.runtime import Array, Call

PROCESSOR = ("CPUExecutionProvider",)


def session(model: bytes, *, threads: int, providers: Sequence[str] = PROCESSOR) -> Call:
    """A callable for an ONNX model whose one input is `images`, one output `logits`.

    Args:
        providers: ONNX Runtime's name for where it runs.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    # Threads that wait by spinning slow down whatever else this machine runs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    opened = onnxruntime.InferenceSession(model, options, providers=list(providers))
    if missing := set(providers) - set(opened.get_providers()):
        raise UserError(
            f"ONNX Runtime cannot start {', '.join(sorted(missing))} on this machine and would "
            "run on the processor instead; latency.runtime: onnxruntime asks for that"
        )

    def call(images: Array) -> Array:
        logits: Array = opened.run(["logits"], {"images": images})[0]
        return logits

    return call
