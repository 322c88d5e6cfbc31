"""ONNX in eight bits: static QDQ, weights per channel, ranges from calibration images.

Whether that is any faster is measured, never promised: layers that ONNX Runtime has no
eight-bit kernel for are converted back and forth.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from torch import Tensor

from kdsearch.errors import ExportError
from kdsearch.export.format import Spec
from kdsearch.export.onnx_models import USAGE, checked, copied, versions
from kdsearch.export.original import Original, quiet, reason_of
from kdsearch.files import canonical, write_bytes
from kdsearch.runtimes.runtime import Array, Call
from kdsearch.runtimes.session import session

BATCH = 64


class OnnxInt8:
    name = "onnx-int8"
    files = ("model-int8.onnx",)
    is_quantised = True
    is_graph = True
    extra = ""
    usage = USAGE.format(file="model-int8.onnx")

    def check(self, spec: Spec) -> None:
        """See `Format.check`."""

    def write(self, original: Original, folder: Path) -> dict[str, Any]:
        """See `Format.write`."""
        model = quantised(original.onnx, original.shown)
        model.metadata_props.add(key="kdsearch", value=canonical(original.spec))
        write_bytes(folder / self.files[0], model.SerializeToString())
        return versions(model)

    def guard(self, folder: Path, spec: Spec) -> None:
        """See `Format.guard`: a graph of known operations."""

    def load(self, folder: Path, *, threads: int = 1) -> Call:
        """See `Format.load`: ONNX Runtime."""
        return session(checked(folder / self.files[0]), threads=threads)

    def runtime(self) -> str:
        return f"ONNX Runtime {onnxruntime.__version__}"


class Calibration:
    """What ONNX Runtime's quantiser reads images from."""

    def __init__(self, images: Tensor) -> None:
        self._batches: Iterator[Array] = (part.numpy() for part in torch.split(images, BATCH))

    def get_next(self) -> dict[str, Array] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"images": batch}


def quantised(model: Any, images: Tensor) -> Any:
    """The ModelProto with eight-bit weights and activations; the given one stays as it is."""
    import onnx
    from onnxruntime import quantization

    with tempfile.TemporaryDirectory(prefix="kdsearch-") as scratch, quiet():
        path = Path(scratch) / "model.onnx"
        try:
            quantization.quantize_static(
                copied(model),
                path,
                Calibration(images),
                quant_format=quantization.QuantFormat.QDQ,
                per_channel=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
            )
            return onnx.load(path)
        except Exception as error:  # the quantiser raises whatever its parts do
            raise ExportError(
                f"this student cannot be quantised in ONNX ({reason_of(error)}); "
                "export it without onnx-int8"
            ) from error
