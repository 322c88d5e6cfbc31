"""kdsearch: the best small network for a data set, a teacher and a hardware budget."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kdsearch.pipeline.api import Run, load, run

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "load", "run"]


def __getattr__(name: str) -> Any:
    """The public names, imported on first use: torch takes seconds to load."""
    if name in ("Run", "load", "run"):
        return getattr(import_module("kdsearch.pipeline.api"), name)
    raise AttributeError(f"module 'kdsearch' has no attribute '{name}'")
