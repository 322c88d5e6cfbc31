"""Where a network can run: RUNTIMES lists them; one file per runtime."""

from collections.abc import Mapping
from types import MappingProxyType

from kdsearch.errors import UserError, did_you_mean
from kdsearch.runtimes.compile import Compile
from kdsearch.runtimes.cuda_events import CudaEvents
from kdsearch.runtimes.cuda_graphs import CudaGraphs
from kdsearch.runtimes.eager import Eager
from kdsearch.runtimes.onnxruntime import OnnxRuntime
from kdsearch.runtimes.onnxruntime_cuda import OnnxRuntimeCuda
from kdsearch.runtimes.openvino import OpenVino
from kdsearch.runtimes.runtime import Calling, Runtime

RUNTIMES: Mapping[str, Runtime] = MappingProxyType(
    {
        r.name: r
        for r in (
            Eager(),
            Compile(),
            OnnxRuntime(),
            OpenVino(),
            CudaEvents(),
            CudaGraphs(),
            OnnxRuntimeCuda(),
        )
    }
)


def runtime(name: str) -> Runtime:
    """The runtime of that name; UserError with the nearest one otherwise."""
    if name not in RUNTIMES:
        raise UserError(f"unknown runtime '{name}'; {did_you_mean(name, RUNTIMES)}")
    return RUNTIMES[name]


def ready(name: str, calling: Calling) -> Runtime:
    """The runtime of that name, which can call a network so, on this machine.

    Raises:
        UserError: it cannot.
    """
    found = runtime(name)
    if reason := refusal(found, calling) or found.lacks(calling):
        raise UserError(f"latency.runtime: {name}: {reason}")
    return found


def refusal(found: Runtime, calling: Calling) -> str:
    """Why a runtime cannot call a network so, on any machine; empty: it can."""
    if calling.precision not in found.precisions:
        others = [n for n, r in RUNTIMES.items() if calling.precision in r.precisions]
        return unable("precision", calling.precision, found.precisions, others)
    if calling.layout not in found.layouts:
        others = [n for n, r in RUNTIMES.items() if calling.layout in r.layouts]
        return unable("layout", calling.layout, found.layouts, others)
    if found.on_gpu and calling.threads != 1:
        return f"one thread calls the GPU; threads: {calling.threads} must be 1"
    return ""


def unable(key: str, value: str, allowed: tuple[str, ...], others: list[str]) -> str:
    """'precision: bf16 is not among its own (float32); runtimes with it: eager, compile'."""
    way_out = (
        f"runtimes with it: {', '.join(others)}" if others else did_you_mean(value, allowed)
    )
    return f"{key}: {value} is not among its own ({', '.join(allowed)}); {way_out}"
