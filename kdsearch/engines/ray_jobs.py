"""Ray's Jobs API: hands a command to a cluster that is up, and follows what it says.

The token of the cluster is Ray's own affair: RAY_AUTH_TOKEN, or ~/.ray/auth_token.
"""

import asyncio
import itertools
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kdsearch.errors import SearchError, UserError

QUIET = {"RAY_USAGE_STATS_ENABLED": "0"}
"""For the job, and for us, unless the environment says otherwise."""
OVERRULING = ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS")
"""Variables that Ray heeds instead of the address it is given."""
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)
OVER = ("SUCCEEDED", "FAILED", "STOPPED")
AGAIN_S = 2.0
MISSING = "kdsearch submit needs Ray's Jobs API; pip install 'kdsearch[cluster]'"


class Client(Protocol):
    """What of Ray's JobSubmissionClient is used."""

    def submit_job(
        self, *, entrypoint: str, submission_id: str, runtime_env: dict[str, Any]
    ) -> str: ...

    def list_jobs(self) -> list[Any]: ...

    def get_job_info(self, job_id: str) -> Any: ...

    def tail_job_logs(self, job_id: str) -> AsyncIterator[str]: ...


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    entrypoint: str
    """A command for a shell, run in a copy of `files`."""
    files: Path
    """A folder that travels."""


@dataclass(frozen=True, slots=True)
class Ended:
    status: str
    """One of OVER."""
    code: int
    """The command's exit code; 1 where it had none of its own and did not succeed."""
    message: str


def connected(address: str) -> Client:
    """A client of the cluster whose dashboard is at `address`.

    Raises:
        UserError: no such address, nobody there, no valid token, or no Jobs API here.
    """
    if not address.startswith(("http://", "https://")):
        raise UserError(f"--address {address}: is that of the dashboard, http://HOST:8265")
    for name, value in {**QUIET, "RAY_AUTH_MODE": "token"}.items():
        os.environ.setdefault(name, value)
    with asked(address), without(OVERRULING):
        try:
            from ray.job_submission import JobSubmissionClient

            client: Client = JobSubmissionClient(address)
        except ImportError:
            raise UserError(MISSING) from None
        except RuntimeError as error:
            if "ray[default]" in str(error):
                raise UserError(MISSING) from None
            raise
    return client


class Jobs:
    """The jobs of one cluster."""

    def __init__(self, address: str, client: Client | None = None) -> None:
        self.address = address
        self.client = connected(address) if client is None else client

    def running(self, name: str) -> str | None:
        """Id of the job of this name (or of its last number) that is not over."""
        return next((i for i, status in self.known(name).items() if status not in OVER), None)

    def known(self, name: str) -> dict[str, str]:
        """Statuses by id of all jobs called so: `name`, `name-2`, …"""
        called = re.compile(rf"{re.escape(name)}(-\d+)?")
        with asked(self.address):
            jobs = self.client.list_jobs()
        ids = {str(job.submission_id): word(job.status) for job in jobs if job.submission_id}
        return {i: status for i, status in ids.items() if called.fullmatch(i)}

    def hand_over(self, job: Job) -> str:
        """Has the job begun; returns its id: its name, with a number from the second time on.

        Raises:
            UserError: it is running already, or the cluster does not take it.
        """
        if not NAME.fullmatch(job.name):
            raise UserError(
                f"a job cannot be called '{job.name}'; --name: letters, digits, . _ and -"
            )
        if busy := self.running(job.name):
            raise UserError(
                f"job '{busy}' is at work already at {self.address}; "
                "--follow shows what it does, --name starts another one"
            )
        with asked(self.address):
            return self.client.submit_job(
                entrypoint=job.entrypoint,
                submission_id=free(job.name, self.known(job.name)),
                runtime_env={"working_dir": str(job.files), "env_vars": telemetry()},
            )

    def follow(self, job: str, write: Callable[[str], object]) -> Ended:
        """Writes what a job says until it is over; a line that broke off is taken up again."""
        written = 0
        while True:
            with asked(self.address):
                written = asyncio.run(tail(self.client, job, write, written))
                info = self.client.get_job_info(job)
            if (status := word(info.status)) in OVER:
                own = info.driver_exit_code or 0
                code = 0 if status == "SUCCEEDED" else own if own > 0 else 1
                return Ended(status, code, info.message or "")
            time.sleep(AGAIN_S)


async def tail(client: Client, job: str, write: Callable[[str], object], seen: int) -> int:
    """Writes what comes after the first `seen` letters; returns how many there are now.

    Ray tells a job's words from their beginning each time.
    """
    at = 0
    try:
        async for text in client.tail_job_logs(job):
            new = text[max(0, seen - at) :]
            at += len(text)
            if new:
                write(new)
    except RuntimeError:
        pass  # the connection was lost: the job's status says whether to try again
    return max(seen, at)


def free(name: str, known: Container[str]) -> str:
    """The first id that is not used: Ray takes none twice."""
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(one for one in itertools.chain([name], numbered) if one not in known)


def word(status: Any) -> str:
    """A status of Ray's as text."""
    return str(status).rpartition(".")[2]


def telemetry() -> dict[str, str]:
    return {name: os.environ.get(name, value) for name, value in QUIET.items()}


@contextmanager
def asked(address: str) -> Iterator[None]:
    """What goes wrong with a cluster, in one line each."""
    try:
        yield
    except UserError:
        raise
    except OSError as error:
        raise UserError(
            f"{address}: nobody answers; is the cluster up, its dashboard's port open from "
            "here (ssh -L 8265:localhost:8265 HOST), and the address right?"
        ) from error
    except RuntimeError as error:
        raise SearchError(f"{address}: {str(error).partition(chr(10))[0]}") from error
    except Exception as error:
        if type(error).__name__ != "AuthenticationError":
            raise
        raise UserError(
            f"{address}: refused, the token is missing or another one; put the cluster's into "
            "~/.ray/auth_token or RAY_AUTH_TOKEN"
        ) from error


@contextmanager
def without(names: tuple[str, ...]) -> Iterator[None]:
    """The environment without these variables for a while."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)
