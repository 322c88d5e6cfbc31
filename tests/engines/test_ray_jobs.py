"""Ray's Jobs API, by a client that answers from a script; for real where it is installed."""

import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kdsearch.engines import ray_jobs
from kdsearch.engines.ray_jobs import Ended, Job, Jobs, connected, free
from kdsearch.errors import SearchError, UserError

HERE = "http://127.0.0.1:8265"
HAS_JOBS = importlib.util.find_spec("aiohttp") is not None
JOB = Job("birds", "kdsearch run config.yaml --out /shared/birds", Path("/there"))


class Cluster:
    """A client whose jobs are over after so many looks at them."""

    def __init__(self, known: dict[str, str] | None = None, code: int | None = 0) -> None:
        self.known = known or {}
        self.taken: list[dict[str, Any]] = []
        self.code = code
        self.words = ["one\n", "two\n", "three\n"]
        self.breaks = 0
        """How often the connection is lost, each time a word later."""

    def submit_job(self, **asked: Any) -> str:
        self.taken.append(asked)
        name = str(asked["submission_id"])
        self.known[name] = "RUNNING"
        return name

    def list_jobs(self) -> list[Any]:
        jobs = [SimpleNamespace(submission_id=i, status=s) for i, s in self.known.items()]
        return [*jobs, SimpleNamespace(submission_id=None, status="RUNNING")]

    def get_job_info(self, job_id: str) -> Any:
        return SimpleNamespace(
            status=self.known[job_id], driver_exit_code=self.code, message="it ended\nso"
        )

    async def tail_job_logs(self, job_id: str) -> AsyncIterator[str]:
        for heard, text in enumerate(self.words):
            if self.breaks and heard == 3 - self.breaks:
                self.breaks -= 1
                raise RuntimeError("WebSocket connection closed unexpectedly")
            yield text
        self.known[job_id] = "SUCCEEDED" if self.code == 0 else "FAILED"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_jobs, "AGAIN_S", 0.0)


def test_a_job_has_its_name_its_files_and_no_telemetry(monkeypatch: Any) -> None:
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED", raising=False)
    cluster = Cluster()
    assert Jobs(HERE, cluster).hand_over(JOB) == "birds"
    assert cluster.taken == [
        {
            "entrypoint": JOB.entrypoint,
            "submission_id": "birds",
            "runtime_env": {
                "working_dir": "/there",
                "env_vars": {"RAY_USAGE_STATS_ENABLED": "0"},
            },
        }
    ]
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    cluster = Cluster()
    Jobs(HERE, cluster).hand_over(JOB)
    assert cluster.taken[0]["runtime_env"]["env_vars"] == {"RAY_USAGE_STATS_ENABLED": "1"}


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "STOPPED"])
def test_a_job_that_is_over_is_handed_over_again_under_a_number(status: str) -> None:
    cluster = Cluster({"birds": status, "birds-2": status, "birds-of-prey": "RUNNING"})
    assert Jobs(HERE, cluster).hand_over(JOB) == "birds-3"


@pytest.mark.parametrize(
    "busy", [{"birds": "PENDING"}, {"birds": "FAILED", "birds-2": "RUNNING"}]
)
def test_a_job_at_work_is_not_handed_over_again(busy: dict[str, str]) -> None:
    cluster = Cluster(busy)
    with pytest.raises(UserError, match=f"job '{list(busy)[-1]}' is at work already"):
        Jobs(HERE, cluster).hand_over(JOB)
    assert cluster.taken == []


def test_a_job_is_called_as_ray_may_call_it() -> None:
    with pytest.raises(UserError, match="a job cannot be called 'my birds'; --name"):
        Jobs(HERE, Cluster()).hand_over(JOB.__class__("my birds", "", Path()))


def test_numbers_are_counted_from_the_name() -> None:
    assert free("a-2", {"a-2": "", "a-2-2": ""}) == "a-2-3"


@pytest.mark.parametrize("breaks", [0, 1, 2])
def test_what_a_job_says_is_written_once_whatever_the_connection_does(breaks: int) -> None:
    cluster, heard = Cluster(), list[str]()
    jobs = Jobs(HERE, cluster)
    jobs.hand_over(JOB)
    cluster.breaks = breaks
    assert jobs.follow("birds", heard.append) == Ended("SUCCEEDED", 0, "it ended\nso")
    assert "".join(heard) == "one\ntwo\nthree\n"


@pytest.mark.parametrize(("own", "code"), [(3, 3), (None, 1), (-9, 1)])
def test_a_failed_job_has_its_own_exit_code(own: int | None, code: int) -> None:
    jobs = Jobs(HERE, Cluster(code=own))
    jobs.hand_over(JOB)
    assert jobs.follow("birds", str).code == code


class Statuses(Cluster):
    """Raises what Ray raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def list_jobs(self) -> list[Any]:
        raise self.error


class AuthenticationError(Exception):
    """Called as Ray's own."""


@pytest.mark.parametrize(
    ("error", "kind", "line"),
    [
        (ConnectionError("no"), UserError, "nobody answers; is the cluster up"),
        (AuthenticationError("401\nmore"), UserError, "refused, the token is missing or"),
        (RuntimeError("Request failed: 500\nmore"), SearchError, "Request failed: 500$"),
    ],
)
def test_what_goes_wrong_is_one_line(error: Exception, kind: Any, line: str) -> None:
    with pytest.raises(kind, match=f"^{HERE}: {line}") as caught:
        Jobs(HERE, Statuses(error)).hand_over(JOB)
    assert "\n" not in str(caught.value)


def test_the_address_is_that_of_the_dashboard() -> None:
    with pytest.raises(UserError, match="--address host:8265: is that of the dashboard, http:"):
        connected("host:8265")


@pytest.fixture
def environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.skipif(HAS_JOBS, reason="ray[default] is installed")
def test_without_the_extra_the_way_to_it_is_told(environment: None) -> None:
    with pytest.raises(UserError, match=r"pip install 'kdsearch\[cluster\]'$"):
        connected(HERE)


needs_jobs = pytest.mark.skipif(
    not HAS_JOBS, reason="ray[default] is not installed: pip install 'kdsearch[cluster]'"
)


class Refusing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(401)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.mark.ray
@needs_jobs
def test_a_cluster_that_refuses_and_one_that_is_not_there(environment: None) -> None:
    os.environ["RAY_ADDRESS"] = "http://127.0.0.1:2"  # Ray would heed this one instead
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.raises(UserError, match="refused, the token is missing"):
        connected(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError, match="^http://127.0.0.1:1: nobody answers"):
        connected("http://127.0.0.1:1")
    assert os.environ["RAY_ADDRESS"] == "http://127.0.0.1:2"


def port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


SUBMITS = """
import sys, time
from pathlib import Path
from kdsearch.engines.ray_jobs import Job, Jobs
from kdsearch.errors import KdsearchError
address, files = sys.argv[1:]
for attempt in range(120):
    try:
        jobs = Jobs(address)
        break
    except KdsearchError:
        time.sleep(1)
job = jobs.hand_over(Job("one", "cat word.txt; exit 3", Path(files)))
ended = jobs.follow(job, sys.stdout.write)
print(job, ended.status, ended.code, jobs.hand_over(Job("one", "true", Path(files))))
"""


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(300)
@needs_jobs
def test_a_head_of_ray_runs_a_job(tmp_path: Path) -> None:
    """A head and a client in processes of their own: Ray keeps the first token it reads."""
    dashboard, head = port(), port()
    settings = {
        **os.environ,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": "0123456789abcdef0123456789abcdef",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }
    (tmp_path / "word.txt").write_text("a word that travelled\n")
    words = ["start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={head}"]
    words += [f"--dashboard-port={dashboard}", "--dashboard-host=127.0.0.1", "--num-cpus=1"]
    ray = str(Path(sys.executable).with_name("ray"))
    with tempfile.TemporaryDirectory(prefix="kd-") as short:  # sockets have short names
        process = subprocess.Popen([ray, *words, f"--temp-dir={short}"], env=settings)
        try:
            address = f"http://127.0.0.1:{dashboard}"
            done = subprocess.run(
                [sys.executable, "-c", SUBMITS, address, str(tmp_path)],
                env=settings,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            process.terminate()
            process.wait(60)
    assert done.returncode == 0, done.stderr
    assert "a word that travelled\n" in done.stdout
    assert done.stdout.splitlines()[-1] == "one FAILED 3 one-2"
