"""card.json: what a student is, what to feed it, what it costs and how well it does."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kdsearch.export.format import Spec
from kdsearch.export.parity import Parity
from kdsearch.export.sealed import SCHEMA, sha256

LIBRARIES = (
    "kdsearch",
    "torch",
    "safetensors",
    "onnx",
    "onnxruntime",
    "openvino",
    "torchao",
    "numpy",
)


def card(
    spec: Spec,
    facts: Mapping[str, Any],
    artefacts: Mapping[str, Mapping[str, Any]],
    parity: Mapping[str, Parity],
) -> dict[str, Any]:
    """The content of card.json, but for its files.

    Args:
        facts: JSON-able, taken as they are: recipe, costs, accuracies, whatever is known.
        artefacts: per format what was measured on it.
        parity: per format.
    """
    return {
        "schema": SCHEMA,
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
        "spec": dict(spec),
        "artefacts": {name: dict(known) for name, known in artefacts.items()},
        "parity": {name: asdict(numbers) for name, numbers in parity.items()},
        "versions": {"python": platform.python_version()} | versions(),
    }


def versions() -> dict[str, str]:
    """Of the libraries that are installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def listed(files: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Sizes and hashes by name."""
    return {path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in files}
