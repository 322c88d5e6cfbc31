"""A place for a job: what it takes, what is said where there is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from kdsearch.core.progress import Silent
from kdsearch.engines import ray_room
from kdsearch.engines.cluster import Cluster, even_share
from kdsearch.engines.engine import Workshop
from kdsearch.engines.ray_room import NOTICE_S, PATIENCE_S, Room, asked_of, gpus_there
from kdsearch.errors import SearchError, UserError

TWO_NODES = ({"CPU": 4.0, "memory": 1e9}, {"CPU": 2.0, "GPU": 1.0, "bench": 1.0})


class Said(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def ray_of(*nodes: dict[str, float]) -> Any:
    listed = [{"Alive": True, "Resources": node} for node in nodes]
    gone = {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}}
    gpus = sum(node.get("GPU", 0.0) for node in nodes)
    return SimpleNamespace(
        nodes=lambda: [*listed, gone], cluster_resources=lambda: {"CPU": 6.0, "GPU": gpus}
    )


def shop(workers: int = 2, device: str = "cpu", said: Any = None, **cluster: Any) -> Workshop:
    setting: Any = SimpleNamespace(device=device)
    return Workshop(setting, workers, said or Silent(), cluster=Cluster(**cluster))


@pytest.mark.parametrize(
    ("workers", "gpus", "share"),
    [(1, 1, 1.0), (4, 1, 0.25), (3, 1, 0.3333), (6, 1, 0.1666), (4, 2, 0.5), (3, 2, 0.5)]
    + [(2, 8, 1.0), (2, 0, 0.5)],
)
def test_all_workers_find_a_gpu(workers: int, gpus: int, share: float) -> None:
    assert even_share(workers, gpus) == share
    assert share * (workers / max(1, gpus)) <= 1 or workers / max(1, gpus) > int(1 / share)


def test_a_job_takes_what_the_config_says_or_its_share() -> None:
    ray = ray_of(*TWO_NODES)
    assert asked_of(ray, shop()) == {"CPU": 1.0, "GPU": 0.0}
    assert asked_of(ray, shop(device="cuda")) == {"CPU": 1.0, "GPU": 0.5}
    assert asked_of(ray, shop(cpu=2.0, gpu=0.25)) == {"CPU": 2.0, "GPU": 0.25}


def test_where_the_device_is_open_a_job_takes_what_there_is() -> None:
    """Of GPUs that the driver may have none of."""
    assert asked_of(ray_of(*TWO_NODES), shop(device="auto"))["GPU"] == 0.5
    assert asked_of(ray_of({"CPU": 4.0}), shop(device="auto"))["GPU"] == 0.0
    assert asked_of(ray_of(*TWO_NODES), shop(device="auto", gpu=0.0))["GPU"] == 0.0
    assert asked_of(ray_of({"CPU": 4.0}), shop(device="cuda"))["GPU"] > 0


def test_gpus_are_counted_where_the_jobs_will_be(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def started(workers: int, cluster: Cluster) -> Iterator[Any]:
        yield ray_of(*TWO_NODES)

    monkeypatch.setattr(ray_room, "started", started)
    monkeypatch.setattr(ray_room.torch.cuda, "device_count", lambda: 3)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(ray_room, "is_up", lambda: False)
    assert gpus_there(2, Cluster()) == 3
    assert gpus_there(2, Cluster("auto")) == 1
    monkeypatch.setattr(ray_room, "is_up", lambda: True)
    assert gpus_there(2, Cluster()) == 1


def test_what_no_node_of_ours_has_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    Room(ray_of(*TWO_NODES), shop(cpu=4.0))
    Room(ray_of(*TWO_NODES), shop(cpu=2.0, gpu=1.0))
    with pytest.raises(UserError) as caught:
        Room(ray_of(*TWO_NODES), shop(cpu=4.0, gpu=1.0))
    assert str(caught.value) == (
        "no worker can be placed: each takes 4 CPU, 1 GPU, and no node has as much; this "
        "machine has: 4 CPU; 2 CPU, 1 GPU; see ray.resources and search.workers"
    )


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_cluster_that_is_up_may_grow(
    by_variable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if by_variable:
        monkeypatch.setenv("RAY_ADDRESS", "auto")
    now, said = [0.0], Said()
    address = None if by_variable else "auto"
    room = Room(ray_of({"CPU": 0.0}), shop(said=said, address=address), clock=lambda: now[0])
    for seconds in (0.0, NOTICE_S, NOTICE_S + 1, PATIENCE_S):
        now[0] = seconds
        room.sought()
    assert said.lines == ["waiting for a node with 1 CPU free"]
    now[0] = PATIENCE_S + 1
    with pytest.raises(SearchError, match="none was free for 300 s; the cluster has: no CPU;"):
        room.sought()


def test_a_place_that_was_found_is_not_waited_for() -> None:
    now = [0.0]
    room = Room(ray_of({"CPU": 1.0}), shop(address="auto"), clock=lambda: now[0])
    room.sought()
    now[0] = PATIENCE_S + 1
    room.found()
    room.sought()
