"""The seam of an export format: a student becomes files, and files become a callable again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from torch import Tensor, nn

from kdsearch.runtimes.runtime import Call

Spec: TypeAlias = Mapping[str, Any]
"""JSON-able, enough to build the student again without its weights:
family, architecture (value per choice), channels, classes (names), size (pixels), mean, std."""


class Format(Protocol):
    """`name` is what `--format` says."""

    @property
    def name(self) -> str: ...

    def write(
        self, student: nn.Module, spec: Spec, example: Tensor, folder: Path
    ) -> list[Path]:
        """The files written, each whole or not at all.

        Args:
            student: gives an Output; on the processor, in evaluation mode.
            example: normalised float32 images, at least one.
        """

    def load(self, folder: Path) -> Call:
        """What `write` left in `folder`, in the runtime it is meant for; any batch size."""
