"""What a latency holds for: the machine, the runtime and how it was called."""

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from kdsearch.measure.latency import Latency, Target
from kdsearch.runtimes import ready

CPUINFO = Path("/proc/cpuinfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
DRIVER = Path("/proc/driver/nvidia/version")
GPUS = Path("/proc/driver/nvidia/gpus")


def fingerprint(target: Target) -> dict[str, str | int]:
    """JSON-able; two latencies are comparable where these are equal.

    Raises:
        UserError: this machine cannot run the target.
    """
    runtime = ready(target.runtime, target.calling)
    there = {"driver": driver(), "processor": processor()} if runtime.on_gpu else {}
    optional = {"governor": governor(), "size": target.size}
    return {
        "device": gpu() if runtime.on_gpu else processor(),
        **there,
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "runtime": target.runtime,
        "runtime_version": runtime.version(),
        "torch_version": str(torch.__version__),
        "threads": target.threads,
        "batch_size": target.batch_size,
        "precision": target.precision,
        "layout": target.layout,
        **{name: known for name, known in optional.items() if known},
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
            "p99": timed.p99_ms,
            "ci95": list(timed.ci95),
            "p95_ci95": None if timed.p95_ci95 is None else list(timed.p95_ci95),
            "p99_ci95": None if timed.p99_ci95 is None else list(timed.p99_ci95),
            "load": timed.load,
            "busy": timed.busy,
            "drift": timed.drift,
            "device": mark["device"],
            "runtime": target.runtime,
            "batch_size": target.batch_size,
            "threads": target.threads,
            "precision": target.precision,
            "layout": target.layout,
            "size": target.size,
            **({"predicted": True} if timed.predicted else {}),
        }
    }


def processor(cpuinfo: Path = CPUINFO) -> str:
    """The processor's own name where the system tells it, its kind elsewhere."""
    names = (
        line.partition(":")[2].strip()
        for line in told(cpuinfo).splitlines()
        if line.startswith("model name")
    )
    return next(names, "") or platform.processor() or platform.machine()


def governor(path: Path = GOVERNOR) -> str:
    """Who decides how fast the clock is ('performance', 'powersave'); empty: nobody says."""
    return told(path).strip()


def gpu(folder: Path = GPUS) -> str:
    """The name of the GPU that is used."""
    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    notes = (told(path / "information") for path in sorted(folder.glob("*")))
    found = [re.search(r"^Model:\s*(.+?)\s*$", note, re.MULTILINE) for note in notes]
    return next((match[1] for match in found if match), "a GPU of NVIDIA's")


def driver(path: Path = DRIVER) -> str:
    """The version of the GPU's driver."""
    found = re.search(r"\s(\d+\.\d+(?:\.\d+)?)\s", told(path))
    return found[1] if found else "unknown"


def told(path: Path) -> str:
    """What a file of the system says; nothing where it may not be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
