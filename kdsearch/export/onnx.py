"""ONNX of any batch size, for ONNX Runtime and whatever else reads it."""

from pathlib import Path
from typing import Any

import onnxruntime

from kdsearch.export.format import Spec
from kdsearch.export.onnx_models import USAGE, checked, copied, versions
from kdsearch.export.original import Original
from kdsearch.files import canonical, write_bytes
from kdsearch.runtimes.runtime import Call
from kdsearch.runtimes.session import session


class Onnx:
    name = "onnx"
    files = ("model.onnx",)
    is_quantised = False
    is_graph = True
    extra = ""
    usage = USAGE.format(file="model.onnx")

    def check(self, spec: Spec) -> None:
        """See `Format.check`."""

    def write(self, original: Original, folder: Path) -> dict[str, Any]:
        """See `Format.write`: input `images`, output `logits`, the spec inside."""
        model = copied(original.onnx)
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
