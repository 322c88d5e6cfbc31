"""card.json: what a student is, what to feed it, what it costs and how well it does."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kdsearch.errors import ExportError
from kdsearch.export.format import Spec
from kdsearch.export.parity import Parity
from kdsearch.files import read_json

LIBRARIES = ("kdsearch", "torch", "safetensors", "onnx", "onnxruntime", "numpy")


def card(
    spec: Spec,
    facts: Mapping[str, Any],
    parity: Mapping[str, Parity],
    files: Sequence[Path],
) -> dict[str, Any]:
    """The content of card.json.

    Args:
        facts: JSON-able, taken as they are: recipe, costs, accuracies, whatever is known.
        parity: per format.
        files: the artefacts; their names, sizes and hashes go in.
    """
    return {
        "schema": 1,
        "family": spec["family"],
        "architecture": spec["architecture"],
        "input": {
            "name": "images",
            "shape": ["batch", spec["channels"], spec["size"], spec["size"]],
            "type": "float32",
            "formula": "(pixel * scale - mean) / std, per channel; pixels are 0 to 255",
            "scale": 1 / 255,
            "mean": list(spec["mean"]),
            "std": list(spec["std"]),
        },
        "output": {"name": "logits", "shape": ["batch", len(spec["classes"])]},
        "classes": list(spec["classes"]),
        **facts,
        "parity": {name: asdict(numbers) for name, numbers in parity.items()},
        "files": {
            path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in files
        },
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in LIBRARIES},
    }


def check_files(folder: Path) -> None:
    """ExportError unless the artefacts in `folder` are, byte for byte, those of its card."""
    for name, known in read_json(folder / "card.json")["files"].items():
        path = folder / name
        if not path.exists() or sha256(path) != known["sha256"]:
            raise ExportError(f"{path}: not the file its card.json describes; export it again")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
