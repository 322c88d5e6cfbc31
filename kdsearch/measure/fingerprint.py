"""What a latency holds for: the machine, the runtime and how it was called."""

import os
import platform
from pathlib import Path

import torch

from kdsearch.measure.latency import Target
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


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's own name where the system tells it, its kind elsewhere."""
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
