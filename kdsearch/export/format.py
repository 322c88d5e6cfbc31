"""The seam of an export format: a student becomes files, and files become a callable again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from kdsearch.export.original import Original
from kdsearch.runtimes.runtime import Call

Spec: TypeAlias = Mapping[str, Any]
"""JSON-able, enough to build the student again without its weights:
family, architecture (value per choice), channels, classes (names), size (pixels), mean, std."""


class Format(Protocol):
    """`name` is what `--format` says."""

    @property
    def name(self) -> str: ...

    @property
    def files(self) -> tuple[str, ...]:
        """Names of what `write` leaves; the first is the one to load."""

    @property
    def is_quantised(self) -> bool:
        """Whether it computes in eight bits, and so only nearly what the student computes."""

    @property
    def is_graph(self) -> bool:
        """Whether it holds what was traced, and so preprocessing, where that is asked for."""

    @property
    def extra(self) -> str:
        """The extra, and the package of that name, without which `load` cannot be; or none."""

    @property
    def usage(self) -> str:
        """Lines of Python that load it, given normalised `images`."""

    def check(self, spec: Spec) -> None:
        """Raises UserError where this student cannot be written so, or a package is missing."""

    def write(self, original: Original, folder: Path) -> dict[str, Any]:
        """Writes the files, each whole or not at all; what is to be known of them (opset)."""

    def guard(self, folder: Path, spec: Spec) -> None:
        """Raises ArtefactError where `load` would run code that kdsearch did not write.

        Args:
            spec: of the card, which was looked at (spec.py).
        """

    def load(self, folder: Path, *, threads: int = 1) -> Call:
        """What `write` left in `folder`, in the runtime it is meant for; any batch size.

        Who loads a folder of somebody else's asks `guard` before.
        """

    def runtime(self) -> str:
        """Name and version of what `load` loads it into."""
