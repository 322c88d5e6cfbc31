"""ONNX models in memory: what the formats that hold one share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kdsearch.errors import ExportError

USAGE = """import onnxruntime

session = onnxruntime.InferenceSession("{file}", providers=["CPUExecutionProvider"])
(logits,) = session.run(["logits"], {{"images": images}})"""


def versions(model: Any) -> dict[str, Any]:
    """What a runtime has to know to read it."""
    opsets = {one.domain or "ai.onnx": one.version for one in model.opset_import}
    return {"opset": opsets["ai.onnx"], "ir_version": model.ir_version}


def copied(model: Any) -> Any:
    """For who writes into it: the graph of a student is made once."""
    made = type(model)()
    made.CopyFrom(model)
    return made


def checked(path: Path) -> bytes:
    """The file's content.

    Raises:
        ExportError: it is no ONNX, or has numbers in other files, which might be anybody's.
    """
    from onnx import TensorProto, load_model_from_string

    content = path.read_bytes()
    try:
        model = load_model_from_string(content)
    except Exception as error:  # protobuf's errors have no root of their own
        raise ExportError(f"{path}: no whole ONNX model") from error
    if any(t.data_location == TensorProto.EXTERNAL for t in tensors(model.graph)):
        raise ExportError(f"{path}: has numbers in files elsewhere; not opened")
    return content


def tensors(graph: Any) -> Iterator[Any]:
    """All constants of a graph, those within nodes and within their own graphs too."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
            for inner in (attribute.g, *attribute.graphs):
                if inner.node or inner.initializer:
                    yield from tensors(inner)
