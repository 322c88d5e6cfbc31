"""Verb `watch`: a run's page, made anew as its files change, served to this machine alone.

The page is drawn when somebody looks, and seldom enough that a run on the same machine is not
held up: drawing takes at most a tenth of the time. What mattered is left out: the forests
behind it take longer than all the rest.
"""

import errno
import math
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from kdsearch.core.quantities import duration
from kdsearch.errors import KdsearchError, UserError
from kdsearch.files import content_hash
from kdsearch.pipeline.heartbeat import Beat, last_beat
from kdsearch.pipeline.report import summarized
from kdsearch.pipeline.report_extras import BASELINES
from kdsearch.pipeline.watch_server import HOST, Server
from kdsearch.report.decide import top
from kdsearch.report.document import document, nothing
from kdsearch.report.markup import element
from kdsearch.report.page import page
from kdsearch.rundir import RunDir

SHARE = 10
"""So many times as long as drawing the page took, it is not drawn again."""
Clock = Callable[[], float]


class Watch:
    """The page of a run that may still be under way, and how far the run is."""

    def __init__(self, run: RunDir, clock: Clock = time.monotonic) -> None:
        run.check_there()
        self._run = run
        self._clock = clock
        self._lock = Lock()
        self._shown, self._html = "", ""
        self._not_before = -math.inf

    def page(self) -> str:
        """Drawn anew where the files are others than before, if it is time."""
        with self._lock:
            mark, begun = self._due(), self._clock()
            if mark != self._shown:
                self._html, self._shown = drawn(self._run, mark), mark
                self._not_before = self._clock() + SHARE * (self._clock() - begun)
            return self._html

    def state(self) -> dict[str, Any]:
        """What is told without drawing anything; `page` names the content of the page."""
        busy, beat = self._run.busy(), last_beat(self._run.progress)
        counted = {"done": beat.done, "total": beat.total} if beat and beat.task else {}
        line = now(self._run, beat, busy)
        return {"page": self._due(), "busy": busy, "line": line, **counted}

    def _due(self) -> str:
        """Names the content that the page has to show now."""
        if self._clock() < self._not_before:
            return self._shown
        return content_hash(stamp_of(self._run))


def drawn(run: RunDir, mark: str) -> str:
    """The page as far as the run has come; a page that says why, where it cannot be drawn."""
    try:
        return page(summarized(run, quickly=True), live=mark)
    except KdsearchError as error:
        name = run.root.resolve().name
        parts = (top("kdsearch run", True), element("h1", name), nothing(str(error)))
        return document(name, *parts, scripted=True, live=mark)


def stamp_of(run: RunDir) -> str:
    """Changes with the files that the page shows, unread; the ledger alone, which a search
    writes every few seconds, does not count."""
    facts: Mapping[str, Any] = {}
    with suppress(KdsearchError):  # damaged: the page says so
        facts = run.facts()
    shown = [run.config, run.state, run.front, run.delivered, run.audit, run.root / BASELINES]
    if "study" in facts:
        shown.append(run.journal(facts["study"]))
    return " ".join(stamped(path) for path in shown)


def stamped(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return "-"
    return f"{found.st_mtime_ns}.{found.st_size}"


def now(run: RunDir, beat: Beat | None, busy: bool) -> str:
    """'search, 12 of 40, 1 min 05 s' or why nothing is going on."""
    if busy and beat and beat.task:
        of = f" of {beat.total}" if beat.total else ""
        note = f", {beat.note}" if beat.note else ""
        spent = duration(max(0.0, time.time() - beat.since))
        return f"{beat.task}: {beat.done}{of} after {spent}{note}"
    if busy:
        return "at work"
    if run.front.exists():
        return "finished; nobody is at work on it"
    return "nobody is at work on it; kdsearch run goes on from here"


def serve(watch: Watch, port: int, tell: Callable[[str], None]) -> None:
    """Until it is interrupted. `tell` is given the page's address.

    Raises:
        UserError: the port cannot be had.
    """
    try:
        server = Server(watch.page, watch.state, port)
    except OSError as error:
        why = os.strerror(error.errno or errno.EIO).lower()
        raise UserError(f"{HOST}:{port}: {why}; name another port with --port") from error
    with server:
        tell(f"http://{HOST}:{server.server_address[1]}/ (Ctrl-C ends it)")
        server.serve_forever(poll_interval=0.2)
