"""What a latency holds for: the machine, the runtime and how it was called."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from kdsearch.measure.latency import Latency, Target
from kdsearch.runtimes import runtime


def fingerprint(target: Target) -> dict[str, str | int]:
    """JSON-able; two latencies are comparable where these are equal."""
    return {
        "device": processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "runtime": target.runtime,
        "runtime_version": runtime(target.runtime).version(),
        "torch_version": str(torch.__version__),
        "threads": target.threads,
        "batch_size": target.batch_size,
        "precision": "float32",
    }


def latency_facts(
    target: Target, timed: Latency, mark: Mapping[str, str | int]
) -> dict[str, dict[str, Any]]:
    """By the target's name what front.json and cards hold of a latency.

    Args:
        mark: the fingerprint of where it was measured.
    """
    return {
        target.name: {
            "p50": timed.p50_ms,
            "p95": timed.p95_ms,
            "ci95": list(timed.ci95),
            "load": timed.load,
            "busy": timed.busy,
            "device": mark["device"],
            "runtime": target.runtime,
            "batch_size": target.batch_size,
            "threads": target.threads,
            "precision": mark["precision"],
        }
    }


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's own name where the system tells it, its kind elsewhere."""
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
