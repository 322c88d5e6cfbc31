"""One readable source file of the student and its weights; torch alone runs it."""

import importlib.util
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

from kdsearch.errors import ArtefactError, UserError
from kdsearch.export.eager import called, pytorch
from kdsearch.export.format import Spec
from kdsearch.export.original import Original, reason_of
from kdsearch.export.plain import PLAIN, source
from kdsearch.export.rebuild import bytes_of, outlined
from kdsearch.export.sealed import sha256
from kdsearch.export.weights import WEIGHTS, written_weights
from kdsearch.files import write_text
from kdsearch.runtimes.runtime import Call

USAGE = """from student import load, normalise

network = load()  # pixels: 0 to 255, (batch, channels, height, width)
logits = network(normalise(pixels))"""


class Python:
    name = "python"
    files = ("student.py", WEIGHTS)
    is_quantised = False
    is_graph = False
    extra = ""
    usage = USAGE

    def check(self, spec: Spec) -> None:
        """See `Format.check`: a network that the user brought has its source already."""
        if not is_plain(spec):
            which = spec["origin"]["network"] if "origin" in spec else spec["family"]
            raise UserError(
                f"python: {which} is written out by nobody but its author; its file is its "
                "source: export to safetensors, pt2 or onnx"
            )

    def write(self, original: Original, folder: Path) -> dict[str, Any]:
        """See `Format.write`."""
        sha256 = written_weights(original.student, folder)
        write_text(folder / self.files[0], source(original.spec, sha256))
        return {}

    def guard(self, folder: Path, spec: Spec) -> None:
        """See `Format.guard`: the file has to be the one that this spec and weights make."""
        path = folder / self.files[0]
        try:
            ours = written_for(spec, folder / WEIGHTS) if is_plain(spec) else ""
        except (LookupError, ValueError, TypeError, ArithmeticError, RuntimeError) as error:
            raise ArtefactError(
                f"{path}: what is said of its student makes no {spec['family']} "
                f"({reason_of(error)}); export it again"
            ) from error
        if path.read_bytes() != ours.encode():
            raise ArtefactError(
                f"{path}: not what this version of kdsearch writes for such a student; "
                "read it, then --trust-code runs it"
            )

    def load(self, folder: Path, *, threads: int = 1) -> Call:
        """See `Format.load`: runs the file."""
        name = f"kdsearch_student_{uuid4().hex}"
        found = importlib.util.spec_from_file_location(name, folder / self.files[0])
        assert found is not None and found.loader is not None
        module = importlib.util.module_from_spec(found)
        before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            found.loader.exec_module(module)
        finally:
            sys.dont_write_bytecode = before
        return called(module.load(), threads=threads)

    def runtime(self) -> str:
        return pytorch()


def is_plain(spec: Spec) -> bool:
    return "origin" not in spec and spec["family"] in PLAIN


def written_for(spec: Spec, weights: Path) -> str:
    """The file of a student with these weights; ValueError for one that needs more memory."""
    asked, there = bytes_of(outlined(spec)), weights.stat().st_size
    if asked > there:
        raise ValueError(f"{asked} bytes of weights, where {there} are")
    return source(spec, sha256(weights))
