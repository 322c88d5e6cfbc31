"""A cell of a batch in a process of its own: `kdsearch run`, what it says kept in log.txt."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import kdsearch
from kdsearch.errors import BudgetError, RunError
from kdsearch.files import content_hash, read_json, write_json
from kdsearch.rundir import RunDir

LOG = "log.txt"
RECORD = "cell.json"
"""In a cell's folder: what came of the config that was asked for last."""
PREFIX = "kdsearch: "
"""Of the one line with which a command says why it ended."""
OUR_BUG = "a bug of kdsearch"
Command = Callable[[Path], Sequence[str]]
"""From a cell's folder to the command that has it done."""
State = Literal["waiting", "running", "done", "unmet", "failed", "stopped"]
"""unmet: no student keeps the budget, which is an answer; stopped: by Ctrl-C, to go on with."""


@dataclass(frozen=True, slots=True)
class Outcome:
    state: State
    reason: str = ""


class Child:
    """Starts at once. It has a session of its own: a Ctrl-C at the terminal comes to it through
    us alone, and what it started itself is ended with it.
    """

    def __init__(self, folder: Path, command: Command) -> None:
        self.folder = folder
        with (folder / LOG).open("ab") as log:
            self.begins = log.tell()
            self.process = subprocess.Popen(
                command(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_over(self) -> bool:
        return self.process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """To the process and to what it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def outcome(self) -> Outcome:
        """Of a process that is over."""
        code = self.process.returncode
        if code == 0 and RunDir(self.folder).front.exists():
            return Outcome("done")
        state: State = "unmet" if code == BudgetError.exit_code else "failed"
        return Outcome(state, reason_of(code, self.said()))

    def said(self) -> list[str]:
        """Its lines."""
        with (self.folder / LOG).open("rb") as log:
            log.seek(self.begins)
            text = log.read().decode("utf-8", "replace")
        return [line.strip() for line in text.splitlines() if line.strip()]


def run_command(folder: Path) -> list[str]:
    """`kdsearch run` as this very installation has it."""
    config = str(RunDir(folder).config)
    return [sys.executable, "-m", "kdsearch", "run", config, "--out", str(folder)]


def reason_of(code: int, lines: Sequence[str]) -> str:
    """Why a process ended: its own line, its last words, or the signal."""
    if code < 0:
        name = signal.Signals(-code).name
        return f"killed by {name}" + (", perhaps for its memory" if name == "SIGKILL" else "")
    told = [n for n, line in enumerate(lines) if line.startswith(PREFIX)]
    if not told:
        last = f": {lines[-1]}" if lines else ""
        return f"ended with exit code {code}{last}"
    line = lines[told[-1]].removeprefix(PREFIX)
    is_bug = line.startswith(OUR_BUG) and told[-1] > 0
    return f"bug: {lines[told[-1] - 1]}" if is_bug else line


def asked_for(config: str) -> str:
    """Names what a cell was asked for: the text of its config, and who would run it."""
    return content_hash([config, kdsearch.__version__])


def keep(folder: Path, asked: str, outcome: Outcome) -> None:
    write_json(folder / RECORD, {"schema": 1, "asked": asked, **asdict(outcome)})


def settled(folder: Path, asked: str) -> Outcome | None:
    """What came of this very config before; None where it is yet to be done or failed."""
    try:
        known = read_json(folder / RECORD)
        outcome = Outcome(known["state"], known["reason"])
        is_same = known["asked"] == asked
    except (RunError, LookupError, TypeError):
        return None
    run = RunDir(folder)
    has_all = outcome.state == "unmet" or (run.front.exists() and run.report.exists())
    return outcome if is_same and outcome.state in ("done", "unmet") and has_all else None
