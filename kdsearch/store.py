"""Results shared by content, store/<stage>/<hash>/: built once, under a lock, whole or not.

The hash names everything the result depends on (values, data, bytes of checkpoints and user
sources, a stage version bumped by hand) and nothing else: no paths, no engine, no workers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from kdsearch.files import ENTRY, content_hash, made_folder, write_json

PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class Store:
    root: Path

    def folder(self, stage: str, key: Mapping[str, Any]) -> Path:
        """Where the result of `stage` for `key` is, or will be."""
        return self.root / stage / content_hash(key)

    def build(self, stage: str, key: Mapping[str, Any], make: Callable[[Path], None]) -> Path:
        """The finished folder; calls `make(folder)` first where there is none.

        `make` works in a folder that outlives a kill, so it can go on from its own checkpoint;
        only a finished one is renamed to its final name. A second process waits for the first.
        """
        final = self.folder(stage, key)
        if final.exists():
            return final
        partial = final.with_name(final.name + PARTIAL)
        made_folder(final.parent)
        with FileLock(final.with_name(final.name + ".lock")):
            if not final.exists():
                partial.mkdir(exist_ok=True)
                make(partial)
                write_json(partial / ENTRY, dict(key))
                partial.rename(final)
        return final
