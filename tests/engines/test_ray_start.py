"""How Ray is joined, and what is said where it cannot be."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from kdsearch.engines.cluster import Cluster
from kdsearch.engines.ray_start import ALONE, PLAIN, SAYING_LITTLE, start
from kdsearch.errors import SearchError, UserError


class RefusedError(Exception):
    pass


class FakeRay(SimpleNamespace):
    """Notes how it is initialised; takes SIGTERM as Ray does, and may refuse."""

    exceptions = SimpleNamespace(AuthenticationError=RefusedError)

    def __init__(self, refuses: Exception | None = None) -> None:
        super().__init__(asked=[], refuses=refuses)

    def is_initialized(self) -> bool:
        return False

    def init(self, *address: str, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))
        self.asked.append((*address, options))
        if self.refuses:
            raise self.refuses


@pytest.fixture(autouse=True)
def somebody(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers at every address, unless a test asks whether somebody does."""
    if "closed" not in request.fixturenames:
        monkeypatch.setattr(socket, "create_connection", lambda *to: socket.socket())


@pytest.fixture
def closed() -> Iterator[int]:
    """A port of this machine that nobody listens at."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`fake(error)`: a Ray in place of the real one, in an environment that says nothing."""
    for name in (*PLAIN, *ALONE, "RAY_ADDRESS"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)

    def made(refuses: Exception | None = None) -> FakeRay:
        ray = FakeRay(refuses)
        monkeypatch.setitem(sys.modules, "ray", ray)
        return ray

    return made


def test_a_cluster_with_an_address_keeps_its_own_settings(fake: Any) -> None:
    ray = fake()
    assert start(4, Cluster("auto")) == (ray, True)
    assert ray.asked == [("auto", SAYING_LITTLE)]
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert not ALONE.keys() & os.environ.keys()


def test_an_address_wins_over_the_environment(
    fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    ray = fake()
    start(4)
    start(4, Cluster("10.0.0.2:6379"))
    assert [address for address, _ in ray.asked] == ["10.0.0.1:6379", "10.0.0.2:6379"]


def test_from_outside_nothing_else_is_said(fake: Any) -> None:
    ray = fake()
    start(4, Cluster("ray://head:10001"))
    assert ray.asked == [("ray://head:10001", {})]


def test_without_an_address_it_is_this_machine_alone(
    fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**PLAIN, **ALONE}.items():
        monkeypatch.setenv(name, value)  # as if ray had been imported after they were set
    ray = fake()
    start(3, Cluster(cpu=1.5))
    ((options,),) = ray.asked
    assert options["num_cpus"] == 5
    assert (options["include_dashboard"], options["_node_ip_address"]) == (False, "127.0.0.1")


def test_a_cluster_of_ours_that_does_not_start_is_one_line(
    fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**PLAIN, **ALONE}.items():
        monkeypatch.setenv(name, value)
    fake(Exception("The current node timed out during startup.\nMore of it."))
    with pytest.raises(SearchError, match=r"timed out during startup\. \(is it overloaded"):
        start(1)


def test_sigterm_stays_ours(fake: Any) -> None:
    before = signal.getsignal(signal.SIGTERM)
    fake()
    start(1, Cluster("auto"))
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionError("Could not find any running Ray\nmore"), ["no cluster there", "null"]),
        (RuntimeError("Failed to connect"), ["no cluster there (Failed to connect)"]),
        (RefusedError("who are you"), ["the token is missing", "RAY_AUTH_MODE=token"]),
        (ImportError("grpc"), ["kdsearch[cluster]"]),
        (
            ValueError("Ray Client requires pip package `ray[client]`."),
            ["needs Ray's client; pip install 'kdsearch[cluster]'"],
        ),
    ],
)
def test_a_cluster_that_cannot_be_joined_is_one_line(
    fake: Any, error: Exception, words: list[str]
) -> None:
    fake(error)
    with pytest.raises(UserError) as caught:
        start(1, Cluster("head:6379"))
    said = str(caught.value)
    assert said.startswith("ray.address: head:6379: ")
    assert "\n" not in said
    assert all(word in said for word in words), said


def test_it_is_told_which_of_the_two_was_wrong(
    fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    fake(ConnectionError("nobody"))
    with pytest.raises(UserError, match="^RAY_ADDRESS: head:6379: "):
        start(1)


@pytest.mark.parametrize("kind", ["", "ray://"])
def test_where_nobody_answers_ray_is_not_asked(fake: Any, closed: int, kind: str) -> None:
    ray, address = fake(), f"{kind}127.0.0.1:{closed}"
    with pytest.raises(UserError) as caught:
        start(1, Cluster(address))
    assert str(caught.value) == (
        f"ray.address: {address}: nobody answers; start one as docs/cluster.md says, or set "
        "null for one on this machine"
    )
    assert not ray.asked


def test_somebody_who_answers_is_left_to_ray(
    fake: Any, closed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = fake()
    with socket.create_server(("127.0.0.1", 0)) as there:
        start(1, Cluster(f"127.0.0.1:{there.getsockname()[1]}"))
    assert len(ray.asked) == 1
