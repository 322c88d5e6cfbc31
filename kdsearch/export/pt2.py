"""A torch.export program of any batch size: torch alone loads it."""

from pathlib import Path
from typing import Any

from kdsearch.export.eager import called, pytorch
from kdsearch.export.format import Spec
from kdsearch.export.original import Original
from kdsearch.export.programs import read_program, write_program
from kdsearch.runtimes.runtime import Call

USAGE = """import torch

network = torch.export.load("model.pt2").module()
logits = network(torch.as_tensor(images))"""


class Pt2:
    name = "pt2"
    files = ("model.pt2",)
    is_quantised = False
    is_graph = True
    extra = ""
    usage = USAGE

    def check(self, spec: Spec) -> None:
        """See `Format.check`."""

    def write(self, original: Original, folder: Path) -> dict[str, Any]:
        """See `Format.write`."""
        write_program(folder / self.files[0], original.program)
        return {}

    def guard(self, folder: Path, spec: Spec) -> None:
        """See `Format.guard`: `load` looks at every archive (archive.py)."""

    def load(self, folder: Path, *, threads: int = 1) -> Call:
        """See `Format.load`: PyTorch, the program's operations one by one."""
        return called(read_program(folder / self.files[0]), threads=threads)

    def runtime(self) -> str:
        return pytorch()
