"""Where a network can run: RUNTIMES lists them; one file per runtime."""

from collections.abc import Mapping
from types import MappingProxyType

from kdsearch.errors import UserError, did_you_mean
from kdsearch.runtimes.eager import Eager
from kdsearch.runtimes.onnxruntime import OnnxRuntime
from kdsearch.runtimes.runtime import Runtime

RUNTIMES: Mapping[str, Runtime] = MappingProxyType(
    {r.name: r for r in (Eager(), OnnxRuntime())}
)


def runtime(name: str) -> Runtime:
    """The runtime of that name; UserError with the nearest one otherwise."""
    if name not in RUNTIMES:
        raise UserError(f"unknown runtime '{name}'; {did_you_mean(name, RUNTIMES)}")
    return RUNTIMES[name]
