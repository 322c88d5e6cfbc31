"""The word to stop, from the driver to its workers, through Ray's own key-value store."""

import time
from collections.abc import Callable
from typing import Any

from kdsearch.core.progress import Progress
from kdsearch.stopping import STOP, STOPPING

NAMESPACE = "kdsearch"
PATIENCE_S = 30.0
"""How long workers may take to write their checkpoints."""


class Farewell:
    """The driver's side: says once that it stops, tells the workers, waits for them a while."""

    def __init__(self, progress: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress, self._clock = progress, clock
        self._since: float | None = None

    def is_begun(self) -> bool:
        """Whether this process was asked to stop; the workers know it then."""
        if self._since is None and STOP.is_asked():
            self._since = self._clock()
            self._progress.say(STOPPING)
            store()._internal_kv_put(word(), "1", namespace=NAMESPACE)
        return self._since is not None

    def is_over(self) -> bool:
        """Whether they were waited for long enough."""
        return self._since is not None and self._clock() - self._since > PATIENCE_S

    def forget(self) -> None:
        """The next search on this cluster is not to stop."""
        if self._since is not None:
            store()._internal_kv_del(word(), namespace=NAMESPACE)


def heed() -> None:
    """In a worker: its training stops at the next step once the driver says so."""
    STOP.listen(is_said)


def is_said() -> bool:
    """A cluster that does not answer for a moment says nothing."""
    from ray.exceptions import RayError

    try:
        return bool(store()._internal_kv_exists(word(), namespace=NAMESPACE))
    except RayError:
        return False


def word() -> str:
    """One for all processes of a driver, and of no other."""
    import ray

    return f"stop {ray.get_runtime_context().get_job_id()}"


def store() -> Any:
    from ray.experimental import internal_kv

    return internal_kv
