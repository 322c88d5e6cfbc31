"""Weights and a config.json as `save_pretrained` of Hugging Face lays them out."""

from pathlib import Path
from typing import Any

import safetensors.torch
from torch import nn

from kdsearch.errors import ArtefactError
from kdsearch.export.eager import called, pytorch
from kdsearch.export.format import Spec
from kdsearch.export.original import Original
from kdsearch.export.rebuild import outlined, rebuilt
from kdsearch.export.sealed import LARGEST_CARD
from kdsearch.export.spec import is_spec, own_code
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
    extra = ""
    usage = USAGE

    def check(self, spec: Spec) -> None:
        """See `Format.check`."""

    def write(self, original: Original, folder: Path) -> dict[str, Any]:
        """See `Format.write`."""
        written_weights(original.student, folder)
        write_json(folder / CONFIG, original.spec)
        return {}

    def guard(self, folder: Path, spec: Spec) -> None:
        """See `Format.guard`: a network of the user's own is built by code of their own."""
        own = own_code(read_spec(folder))
        if own is not None:
            raise ArtefactError(
                f"{folder / CONFIG}: {own} would run code of its author's; read it, then "
                "--trust-code runs it"
            )

    def load(self, folder: Path, *, threads: int = 1) -> Call:
        """See `Format.load`: PyTorch, eager."""
        return called(pretrained(folder), threads=threads)

    def runtime(self) -> str:
        return pytorch()


def read_spec(folder: Path) -> Spec:
    """Raises ArtefactError where config.json does not describe a student."""
    path = folder / CONFIG
    if not path.is_file() or path.stat().st_size > LARGEST_CARD:
        raise ArtefactError(f"{path}: is not there, or larger than any of ours")
    found: Any = read_json(path)
    if not is_spec(found):
        raise ArtefactError(f"{path}: does not describe a student")
    spec: Spec = found
    return spec


def pretrained(folder: Path) -> nn.Module:
    """The trained network; its forward takes normalised images and gives logits.

    A student of a family is outlined first and filled with the file's weights: a description
    that asks for more than they are takes no memory.
    """
    spec = read_spec(folder)
    ours = "origin" not in spec and own_code(spec) is None
    student = outlined(spec) if ours else bare(rebuilt(spec))
    student.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS), assign=ours)
    return Logits(student).eval()
