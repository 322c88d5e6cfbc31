"""ONNX of any batch size, for ONNX Runtime and whatever else reads it."""

import io
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kdsearch.errors import ExportError
from kdsearch.export.format import Spec
from kdsearch.files import canonical, write_bytes
from kdsearch.nets.logits import Logits
from kdsearch.runtimes.runtime import Call
from kdsearch.runtimes.session import session


class Onnx:
    name = "onnx"

    def write(
        self, student: nn.Module, spec: Spec, example: Tensor, folder: Path
    ) -> list[Path]:
        """See `Format.write`: model.onnx, input `images`, output `logits`, the spec inside."""
        model = exported(Logits(student).eval(), example)
        forget_sources(model)
        model.metadata_props.add(key="kdsearch", value=canonical(spec))
        path = folder / "model.onnx"
        write_bytes(path, model.SerializeToString())
        return [path]

    def load(self, folder: Path) -> Call:
        """See `Format.load`: ONNX Runtime."""
        return session((folder / "model.onnx").read_bytes(), threads=1)


def exported(network: nn.Module, example: Tensor) -> Any:
    """The ModelProto of a network that gives logits; says nothing on the way."""
    chatter = io.StringIO()
    with warnings.catch_warnings(), redirect_stdout(chatter), redirect_stderr(chatter):
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        try:
            program = torch.onnx.export(
                network,
                (example[:2],),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                input_names=["images"],
                output_names=["logits"],
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            reason = str(error.__cause__ or error).strip().splitlines()[0]
            raise ExportError(
                f"this student cannot be written as ONNX ({reason}); export it without onnx"
            ) from error
    assert program is not None
    return program.model_proto


def forget_sources(model: Any) -> None:
    """Drops the exporter's notes: half the file, and paths of the machine it ran on."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
    for part in (*graph.input, *graph.output):
        del part.metadata_props[:]
