"""A torch.export program in eight bits: PT2E with the quantiser for x86 (torchao).

The program says where it quantises; torch.compile turns that into eight-bit kernels. Loaded as
it is it computes the same numbers, slowly: that is what accuracy and latency are measured on.
"""

from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from kdsearch.errors import ExportError
from kdsearch.export.eager import called, pytorch
from kdsearch.export.extras import need
from kdsearch.export.format import Spec
from kdsearch.export.original import Original, quiet, reason_of, traced
from kdsearch.export.programs import read_program, write_program
from kdsearch.runtimes.runtime import Call

BATCH = 64
OPERATIONS = "torch.ao.quantization.fx._decomposed"
"""Registers the eight-bit operations that a program names."""
USAGE = """import torch
import torch.ao.quantization.fx._decomposed  # the eight-bit operations

network = torch.compile(torch.export.load("model-int8.pt2").module())
logits = network(torch.as_tensor(images))"""


class Pt2eInt8:
    name = "pt2e-int8"
    files = ("model-int8.pt2",)
    is_quantised = True
    is_graph = True
    extra = ""
    usage = USAGE

    def check(self, spec: Spec) -> None:
        """See `Format.check`."""
        need("torchao", self.name, extra="quant")

    def write(self, original: Original, folder: Path) -> dict[str, Any]:
        """See `Format.write`."""
        write_program(folder / self.files[0], quantised(original))
        return {"torchao": version("torchao")}

    def guard(self, folder: Path, spec: Spec) -> None:
        """See `Format.guard`: `load` looks at every archive (archive.py)."""

    def load(self, folder: Path, *, threads: int = 1) -> Call:
        """See `Format.load`: PyTorch, not compiled."""
        import_module(OPERATIONS)
        return called(read_program(folder / self.files[0]), threads=threads)

    def runtime(self) -> str:
        return pytorch()


def quantised(original: Original) -> Any:
    """The program with what it quantises, ranges taken from all calibration images."""
    with quiet():
        from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
        from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

        quantizer = x86.X86InductorQuantizer()
        quantizer.set_global(x86.get_default_x86_inductor_quantization_config())
        try:
            prepared = prepare_pt2e(original.program.module(), quantizer)
            with torch.no_grad():
                for part in torch.split(original.shown, BATCH):
                    prepared(part)
            network = convert_pt2e(prepared)
        except Exception as error:  # the quantiser raises whatever its parts do
            raise ExportError(
                f"this student cannot be quantised by torchao ({reason_of(error)}); "
                "export it without pt2e-int8"
            ) from error
    return traced(network, original.shown)
