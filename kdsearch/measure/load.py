"""How many processor cores others keep busy while a latency is measured (ours).

Linux counts how long each processor worked (proc_stat(5)); what this process took of it is its
own, the rest is others' work. Elsewhere nothing is known, and nothing is claimed.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from kdsearch.core.progress import Progress
from kdsearch.errors import RunError

STAT = Path("/proc/stat")
COLUMNS = 8
"""user, nice, system, idle, iowait, irq, softirq, steal; later ones are counted in these."""
RESTING = (3, 4)
WINDOW = 0.25
"""Seconds that tell how busy a machine is: a processor's time is counted in hundredths."""
SLACK = 0.1
"""Of a core: no machine is without some work of its own."""


class Reading(NamedTuple):
    """All counted from some start of its own; only differences mean something."""

    wall: float
    """Seconds."""
    counted: float
    """Core-seconds of the processors that this process may use."""
    worked: float
    """Those of them in which a processor worked, whoever asked it to."""
    own: float
    """Those that this process took."""
    cores: int
    """Processors that this process may use."""


class Policy(NamedTuple):
    """What is done about a busy machine."""

    waits: bool = False
    refuses: bool = False


POLICIES: Mapping[str, Policy] = MappingProxyType(
    {"flag": Policy(), "wait": Policy(waits=True), "refuse": Policy(refuses=True)}
)


@dataclass(frozen=True, slots=True)
class Load:
    """What others did meanwhile."""

    cores: float | None
    """Mean number of cores they kept busy; None where the system does not tell."""
    of: int
    """Cores that this process may use."""

    def is_busy(self, threads: int) -> bool:
        """Whether fewer cores were left than `threads` ask for."""
        return self.cores is not None and self.of - self.cores < threads - SLACK

    def __str__(self) -> str:
        return f"others keep {self.cores or 0.0:.1f} of {self.of} cores busy"


def reading(stat: Path = STAT) -> Reading | None:
    """None where the system does not tell."""
    try:
        lines = stat.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    ours = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    rows = [line.split() for line in lines if line.partition(" ")[0] in ours]
    ticks = [[int(number) for number in row[1 : 1 + COLUMNS]] for row in rows]
    counted = sum(map(sum, ticks))
    rested = sum(row[column] for row in ticks for column in RESTING)
    second = os.sysconf("SC_CLK_TCK")
    return Reading(
        wall=time.perf_counter(),
        counted=counted / second,
        worked=(counted - rested) / second,
        own=time.process_time(),
        cores=len(rows),
    )


def others(before: Reading | None, after: Reading | None) -> Load:
    """What others did between two readings; not known where the processors' clocks stood."""
    if before is None or after is None or after.counted <= before.counted:
        return Load(None, 0)
    theirs = (after.worked - before.worked) - (after.own - before.own)
    return Load(max(0.0, theirs) / (after.wall - before.wall), after.cores)


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks at the machine before and during a measurement.

    Only at its processors: what else may be slow, such as a GPU that others use, it does not
    see.
    """

    policy: str = "flag"
    """A name of POLICIES."""
    patience: float = 60.0
    """Seconds that 'wait' waits for quiet at most."""
    read: Callable[[], Reading | None] = reading
    sleep: Callable[[float], None] = time.sleep

    def begin(self, threads: int, progress: Progress) -> Reading | None:
        """Waits or refuses as the policy says, and returns what `end` is to be given.

        Raises:
            RunError: the machine is busy, and the policy is to refuse.
        """
        policy = POLICIES[self.policy]
        if policy.waits:
            self._wait(threads, progress)
        if policy.refuses:
            self._refuse(self._glance(), threads)
        return self.read()

    def end(self, begun: Reading | None, threads: int) -> Load:
        """What others did since `begun`.

        Raises:
            RunError: the machine was busy, and the policy is to refuse.
        """
        now = self.read()
        if begun is not None and now is not None and now.wall - begun.wall < WINDOW:
            self.sleep(WINDOW - (now.wall - begun.wall))
            now = self.read()
        found = others(begun, now)
        if POLICIES[self.policy].refuses:
            self._refuse(found, threads)
        return found

    def _glance(self) -> Load:
        before = self.read()
        if before is not None:
            self.sleep(WINDOW)
        return others(before, self.read())

    def _wait(self, threads: int, progress: Progress) -> None:
        waited, found = 0.0, self._glance()
        if found.is_busy(threads):
            progress.say(f"latency: {found}; waiting up to {self.patience:g} s for quiet")
        while found.is_busy(threads) and waited < self.patience:
            found = self._glance()
            waited += WINDOW

    def _refuse(self, found: Load, threads: int) -> None:
        if found.is_busy(threads):
            raise RunError(
                f"latency.busy: refuse, and {found}, where a latency needs {threads} to "
                "itself; who they are cannot be told: try again when they are done, or set "
                "latency.busy: flag"
            )
