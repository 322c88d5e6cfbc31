"""Weights and a config.json as `save_pretrained` of Hugging Face lays them out."""

from pathlib import Path
from typing import Any

import safetensors.torch

from kdsearch.export.eager import called, pytorch
from kdsearch.export.format import Spec
from kdsearch.export.original import Original
from kdsearch.export.rebuild import rebuilt
from kdsearch.export.weights import WEIGHTS, written_weights
from kdsearch.files import read_json, write_json
from kdsearch.nets.logits import Logits, bare
from kdsearch.runtimes.runtime import Call

CONFIG = "config.json"
USAGE = """import kdsearch

network = kdsearch.from_pretrained(".")  # or the name of a repository
logits = network(images)"""


class Safetensors:
    name = "safetensors"
    files = (WEIGHTS, CONFIG)
    is_quantised = False
    is_graph = False
    usage = USAGE

    def check(self, spec: Spec) -> None:
        """See `Format.check`."""

    def write(self, original: Original, folder: Path) -> dict[str, Any]:
        """See `Format.write`."""
        written_weights(original.student, folder)
        write_json(folder / CONFIG, original.spec)
        return {}

    def load(self, folder: Path, *, threads: int = 1) -> Call:
        """See `Format.load`: PyTorch, eager."""
        spec: Spec = read_json(folder / CONFIG)
        student = bare(rebuilt(spec))
        student.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS))
        return called(Logits(student).eval(), threads=threads)

    def runtime(self) -> str:
        return pytorch()
