"""Verb `doctor`: what is here, and what is missing for which feature."""

import os
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from shutil import which
from typing import Any, NamedTuple

import torch

from kdsearch.measure.fingerprint import governor, processor
from kdsearch.pipeline.table import table

PACKAGES = (
    "kdsearch",
    "torch",
    "torchvision",
    "optuna",
    "ray",
    "numpy",
    "safetensors",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "openvino",
    "torchao",
    "timm",
    "huggingface_hub",
    "optuna-dashboard",
)


class Feature(NamedTuple):
    """What a package is needed for that kdsearch does not bring."""

    module: str
    extra: str
    about: str


FEATURES = (
    Feature("timm", "timm", "teachers and students of timm"),
    Feature("huggingface_hub", "hub", "kdsearch.from_pretrained of a repository"),
    Feature("openvino", "openvino", "format and runtime openvino"),
    Feature("torchao", "quant", "format pt2e-int8"),
    Feature("optuna_dashboard", "dashboard", "verb dashboard"),
    Feature("aiohttp", "cluster", "verb submit and Ray's dashboard"),
)
VARIABLES = ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "RAY_ADDRESS")


def doctor() -> dict[str, Any]:
    """JSON-able; starts nothing and needs no network."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "versions": {name: found for name in PACKAGES if (found := installed(name))},
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "usable_cores": usable_cores(),
        "governor": governor() or None,
        "instructions": str(torch.backends.cpu.get_cpu_capability()),
        "threads": {
            "torch": torch.get_num_threads(),
            "torch between operations": torch.get_num_interop_threads(),
        },
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "gpus": list(gpus()),
        "missing": list(missing()),
    }


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def usable_cores() -> int:
    """Those that this process may run on; a container often has fewer than the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpus() -> Iterator[dict[str, Any]]:
    """Those that torch can use; not tried on a machine that has one."""
    if not torch.cuda.is_available():
        return
    for index in range(torch.cuda.device_count()):
        known = torch.cuda.get_device_properties(index)
        yield {
            "name": known.name,
            "bytes": known.total_memory,
            "cuda": torch.version.cuda,
        }


def missing() -> Iterator[dict[str, str]]:
    """What cannot be done here, and the way to it."""
    for feature in FEATURES:
        if find_spec(feature.module) is None:
            yield {
                "feature": feature.about,
                "needs": feature.module,
                "install": f"pip install 'kdsearch[{feature.extra}]'",
            }
    if which("c++") is None and which("g++") is None:
        yield {
            "feature": "runtime compile",
            "needs": "a C++ compiler",
            "install": "apt install g++, or what your system calls it",
        }


def words(content: Mapping[str, Any]) -> str:
    """For a person: one fact a line, and a table of what is missing."""
    shown = content["gpus"] or [{"name": "none that torch can use"}]
    lines = [
        f"Python {content['python']} on {content['system']}",
        ", ".join(f"{name} {number}" for name, number in content["versions"].items()),
        f"processor: {content['processor']} ({content['instructions']}), "
        f"{content['usable_cores']} of {content['cores']} cores usable"
        + (f", governor {content['governor']}" if content["governor"] else ""),
        f"GPUs: {', '.join(one['name'] for one in shown)}",
        "threads: " + ", ".join(f"{name} {n}" for name, n in content["threads"].items()),
    ]
    lines += [f"{name}={value}" for name, value in content["variables"].items()]
    if not content["missing"]:
        return "\n".join([*lines, "nothing is missing"])
    rows = [[one["feature"], one["needs"], one["install"]] for one in content["missing"]]
    return "\n".join([*lines, table(rows, ("missing for", "needs", "how to get it"))])
