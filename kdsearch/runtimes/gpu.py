"""How long a GPU of NVIDIA's takes, by its own clock.

Written with care and never run on a GPU by its authors.
"""

from collections.abc import Callable
from typing import Any

import torch

LAUNCHES = 10
"""So many are timed as one: a single launch is shorter than the way there (CUDA's guide)."""


def missing() -> str:
    """What is not there to run a network on a GPU with PyTorch; empty: nothing."""
    if torch.cuda.is_available():
        return ""
    return "no GPU here that PyTorch can use; eager is its like on the processor"


def back_to_back(launch: Callable[[], object]) -> float:
    """Seconds of one launch, a mean of several that wait for nothing in between.

    Events are marks that the GPU itself passes and notes the time of; the processor's clock
    would only tell when launches were handed over.
    """
    start: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    end: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    torch.cuda.synchronize()
    start.record()
    for _ in range(LAUNCHES):
        launch()
    end.record()
    end.synchronize()
    milliseconds: float = start.elapsed_time(end)
    return milliseconds / 1e3 / LAUNCHES


def version() -> str:
    """PyTorch's, and that of the CUDA it was built for."""
    return f"{torch.__version__}, CUDA {torch.version.cuda}"
