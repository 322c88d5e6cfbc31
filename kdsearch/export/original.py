"""What artefacts are made from and compared with: the student, and images to try it on."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from logging import WARNING, disable, getLogger
from typing import Any

import torch
from torch import Tensor, nn

from kdsearch.data.augment import normalise
from kdsearch.errors import ExportError
from kdsearch.measure.accuracy import predict
from kdsearch.nets.logits import Logits
from kdsearch.runtimes.runtime import Array


class OfPixels(nn.Module):
    """Preprocessing as the first part of a network: `(pixel / 255 - mean) / std`.

    Args:
        network: gives logits.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network((pixels.float() / 255 - self.mean) / self.std)
        return logits


@dataclass(frozen=True, eq=False)
class Original:
    """Graphs are traced once, however many formats they are written to."""

    student: nn.Module
    """Gives an Output; on the processor, in evaluation mode."""
    spec: Mapping[str, Any]
    """See `Format`."""
    pixels: Tensor
    """uint8 calibration images, (n, channels, size, size), at least one."""
    takes_pixels: bool = False
    """Whether graphs contain the preprocessing."""

    def normalised(self, pixels: Tensor) -> Tensor:
        return normalise(pixels, self.spec["mean"], self.spec["std"])

    @cached_property
    def expected(self) -> Array:
        """The student's logits for the calibration images."""
        logits: Array = predict(self.student, self.normalised(self.pixels), 64).numpy()
        return logits

    @cached_property
    def shown(self) -> Tensor:
        """The calibration images as a graph takes them."""
        return self.pixels if self.takes_pixels else self.normalised(self.pixels)

    @cached_property
    def program(self) -> Any:
        """The exported program of the network that gives logits, for any batch size."""
        network: nn.Module = Logits(self.student).eval()
        if self.takes_pixels:
            network = OfPixels(network, self.spec["mean"], self.spec["std"]).eval()
        return traced(network, self.shown)

    @cached_property
    def onnx(self) -> Any:
        """The ModelProto of that program."""
        return converted(self.program)


def traced(network: nn.Module, example: Tensor) -> Any:
    """The network as an ExportedProgram; no image is kept in it."""
    blank = torch.zeros(2, *example.shape[1:], dtype=example.dtype)
    with quiet():
        try:
            program = torch.export.export(
                network, (blank,), dynamic_shapes=({0: torch.export.Dim("batch")},)
            )
        except Exception as error:  # whatever a network of somebody's does when it is traced
            raise ExportError(
                f"this student cannot be traced ({reason_of(error)}); "
                "export it to safetensors alone"
            ) from error
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # lines of files of the machine it ran on
    return program


def converted(program: Any) -> Any:
    """An exported program as ONNX: input `images`, output `logits`, any batch size."""
    with quiet():
        try:
            found = torch.onnx.export(
                program,
                dynamo=True,
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            reason = reason_of(error.__cause__ or error)
            raise ExportError(
                f"this student cannot be written as ONNX ({reason}); export it without onnx"
            ) from error
    assert found is not None
    model = found.model_proto
    forget_sources(model)
    return model


def forget_sources(model: Any) -> None:
    """Drops the exporter's notes: half the file, and paths of the machine it ran on."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
    for part in (*graph.input, *graph.output):
        del part.metadata_props[:]


def reason_of(error: BaseException) -> str:
    """The first line of what an error says, or its kind."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextmanager
def quiet() -> Iterator[None]:
    """Converters talk by print, warnings and the root logger, which they also set up."""
    root = getLogger()
    handlers, level = list(root.handlers), root.manager.disable
    chatter = StringIO()
    disable(WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(chatter), redirect_stderr(chatter):
            warnings.simplefilter("ignore")
            yield
    finally:
        disable(level)
        root.handlers[:] = handlers
