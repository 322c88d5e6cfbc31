"""Results shared by content, store/<stage>/<hash>/: built once, under a lock, whole or not.

The hash names everything the result depends on (values, data, bytes of checkpoints and user
sources, a stage version bumped by hand) and nothing else: no paths, no engine, no workers; how
many processes train together only where there are several, since each normalises its own share.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from kdsearch.files import ENTRY, content_hash, made_folder, write_json
from kdsearch.ranks import first_says, meet, rank, world

PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class Store:
    root: Path

    def folder(self, stage: str, key: Mapping[str, Any]) -> Path:
        """Where the result of `stage` for `key` is, or will be."""
        return self.root / stage / content_hash(key)

    def build(
        self,
        stage: str,
        key: Mapping[str, Any],
        make: Callable[[Path], None],
        *,
        processes: int = 1,
    ) -> Path:
        """The finished folder; calls `make(folder)` first where there is none.

        `make` works in a folder that outlives a kill, so it can go on from its own checkpoint;
        only a finished one is renamed to its final name. A second process waits for the first.

        Args:
            processes: how many train together in `make`. Others of the group (ranks.py) than
                the first then call it, too, each in a copy of the folder that is thrown away;
                where it is one, they wait for the first.
        """
        if processes > 1:
            key = {**key, "processes": processes}
        final = self.folder(stage, key)
        if first_says(final.exists()):
            return final
        partial = final.with_name(final.name + PARTIAL)
        made_folder(final.parent)
        lock = FileLock(final.with_name(final.name + ".lock")) if rank() == 0 else nullcontext()
        with lock:
            if first_says(not final.exists()):
                assert processes in (1, world()), "several are to train it, and are not here"
                if rank() == 0:
                    partial.mkdir(exist_ok=True)
                with own_copy(partial) as folder:
                    if rank() == 0 or processes > 1:
                        make(folder)
                if rank() == 0:
                    write_json(partial / ENTRY, dict(key))
                    partial.rename(final)
            meet()
        return final


@contextmanager
def own_copy(folder: Path) -> Iterator[Path]:
    """The folder itself for the first process, for others a copy of what it holds at first."""
    with tempfile.TemporaryDirectory(prefix="kdsearch-") as scratch:
        meet()
        own = folder
        if rank():
            own = Path(shutil.copytree(folder, scratch, dirs_exist_ok=True))
        meet()
        yield own
