"""A search's journal in optuna-dashboard: to look at, nothing that is clicked there is kept."""

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from kdsearch.errors import UserError

HOST = "127.0.0.1"


class _Shown:
    """A journal that others write; its one writer is the search."""

    def __init__(self, path: Path) -> None:
        self.read_logs = JournalFileBackend(str(path)).read_logs

    def append_logs(self, logs: Sequence[Any]) -> None:
        raise PermissionError(errno.EACCES, "the journal is the search's alone to write")


def shown(path: Path) -> JournalStorage:
    return JournalStorage(_Shown(path))  # type: ignore[arg-type]  # duck-typed: its base class is private


def serve(path: Path, port: int) -> None:
    """Until it is interrupted, for this machine alone.

    Raises:
        UserError: the extra is not installed, or the port is taken.
    """
    try:
        from optuna_dashboard import run_server
    except ImportError as error:
        raise UserError(
            "optuna-dashboard is not installed; pip install 'kdsearch[dashboard]'"
        ) from error
    try:
        run_server(shown(path), HOST, port)
    except OSError as error:
        why = (error.strerror or "cannot be used").lower()
        raise UserError(f"{HOST}:{port}: {why}; name another port with --port") from error
