"""kdsearch: the best small network for a data set, a teacher and a hardware budget."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kdsearch.pipeline.api import Run, load, run
    from kdsearch.pipeline.distill_student import Distilled, distill_student
    from kdsearch.pipeline.pretrained import from_pretrained
    from kdsearch.pipeline.verify import verify

__version__ = "0.1.0"
__all__ = [
    "Distilled",
    "Run",
    "__version__",
    "distill_student",
    "from_pretrained",
    "load",
    "run",
    "verify",
]
HOMES = (
    dict.fromkeys(("Run", "load", "run"), "api")
    | dict.fromkeys(("Distilled", "distill_student"), "distill_student")
    | {"from_pretrained": "pretrained", "verify": "verify"}
)
"""The file of kdsearch/pipeline/ in which each public name lives."""


def __getattr__(name: str) -> Any:
    """The public names, imported on first use: torch takes seconds to load."""
    if name in HOMES:
        return getattr(import_module(f"kdsearch.pipeline.{HOMES[name]}"), name)
    raise AttributeError(f"module 'kdsearch' has no attribute '{name}'")
