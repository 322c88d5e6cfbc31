"""Where latencies are measured on a cluster, by a Ray of nodes that the test makes up."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.engines import ray_latency
from kdsearch.engines.cluster import Cluster
from kdsearch.engines.ray_latency import Node
from kdsearch.errors import ConfigError, RunError, SearchError, UserError
from kdsearch.measure.book import CostBook
from kdsearch.measure.latency import Latency, Target
from kdsearch.stopping import STOP, Stopped

TARGET = Target("here", "eager", threads=2)
SLOW: Mapping[str, Any] = {"device": "Slow 1000", "cores": 4}
FAST: Mapping[str, Any] = {"device": "Fast 9000", "cores": 8}
ONE = Architecture.of({"a": 1})
LATENCY = Latency(1.0, 2.0, (0.5, 1.5), 3)


class RayError(Exception):
    pass


class RayTaskError(RayError):
    def __init__(self, cause: Exception) -> None:
        self.cause = cause


class FakeRay:
    """Nodes by name, each with resources and a fingerprint; a task is done as it is asked for.

    `went`: nodes that are listed but do nothing any more; `busy`: nodes that have a task
    already. What asks for no node in particular is done on the first that has the resources.
    """

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, **nodes: tuple[dict[str, float], Mapping[str, Any]]) -> None:
        self.known = nodes
        self.went: set[str] = set()
        self.busy: set[str] = set()
        self.tasks: list[dict[str, Any]] = []
        self.measured: list[str] = []
        self.cancelled = 0
        self.is_ready = True
        self.raises: Exception | None = None

    def nodes(self) -> list[Any]:
        return [
            {"NodeID": n, "Alive": True, "Resources": r, "NodeManagerAddress": f"ip of {n}"}
            for n, (r, _) in self.known.items()
        ]

    def get_runtime_context(self) -> Any:
        return SimpleNamespace(get_node_id=lambda: "a")

    def remote(self, function: Any) -> Any:
        def options(scheduling_strategy: str | None = None, **asked: Any) -> Any:
            self.tasks.append({"node": scheduling_strategy, **asked})
            node = scheduling_strategy or self.first(asked["resources"])
            return SimpleNamespace(remote=lambda *given: (function.__name__, node, given))

        return SimpleNamespace(options=options)

    def first(self, resources: dict[str, float]) -> str:
        """That is free."""
        able = (n for n, (has, _) in self.known.items() if resources.keys() <= has.keys())
        return next(node for node in able if node not in self.busy)

    def wait(self, refs: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        is_ready = self.is_ready and refs[0][1] not in self.busy
        return (refs, []) if is_ready else ([], refs)

    def cancel(self, ref: Any, force: bool) -> None:
        self.cancelled += 1

    def get(self, ref: Any) -> Any:
        name, node, given = ref
        if node in self.went:
            raise RayError
        mark = self.known[node][1]
        if name == "fingerprint":
            return mark
        if self.raises is not None:
            raise RayTaskError(self.raises)
        book, architectures = given
        if mark != book.device:
            return None
        self.measured.append(node)
        return {a.id: LATENCY for a in architectures}


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Any:
    def used(ray: FakeRay) -> FakeRay:
        @contextmanager
        def started(workers: int, cluster: Cluster) -> Iterator[Any]:
            yield ray

        monkeypatch.setattr(ray_latency, "started", started)
        monkeypatch.setattr(ray_latency, "only_on", lambda node: node)
        return ray

    return used


class Said(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def node(name: str) -> Node:
    return Node(Cluster("auto", latency_node=name), 2, Said())


def build(architecture: Architecture) -> nn.Module:
    return nn.Identity()


def measured(where: Node, device: Mapping[str, Any]) -> Any:
    book = CostBook(
        Path("latency"), build, (1, 8, 8), TARGET, {}, 3, Silent(), measure=where, device=device
    )
    return book.measured([ONE])


HEAD = ({"CPU": 4.0, "memory": 1e9, "node:1": 1.0}, SLOW)
BENCH = ({"bench": 1.0, "memory": 1e9}, FAST)


def test_a_node_set_aside_is_asked_what_it_is_and_measures(use: Any) -> None:
    ray = use(FakeRay(a=HEAD, b=BENCH))
    bench = node("bench")
    assert bench.is_apart
    assert bench.fingerprint(TARGET) == FAST
    assert measured(bench, FAST) == {ONE.id: LATENCY}
    asked, measures = ray.tasks
    assert asked == {"node": "b", "num_cpus": 0}
    assert measures == {
        "node": None,
        "num_cpus": 0,
        "max_retries": 0,
        "resources": {"bench": 1},
    }


def test_of_several_nodes_set_aside_a_free_one_measures(use: Any) -> None:
    ray = use(FakeRay(a=HEAD, b=BENCH, c=BENCH))
    bench = node("bench")
    assert bench.fingerprint(TARGET) == FAST
    ray.busy = {"b"}
    assert measured(bench, FAST) == {ONE.id: LATENCY}
    assert ray.measured == ["c"]


@pytest.mark.parametrize(("name", "calls"), [("whole", 1), ("bench", 0)])
def test_room_is_made_for_a_whole_node_alone(use: Any, name: str, calls: int) -> None:
    use(FakeRay(a=HEAD, b=BENCH))
    where, made = node(name), list[int]()
    with ray_latency.making_room(lambda: made.append(1)):
        device = where.fingerprint(TARGET)
        assert made == []
        measured(where, device)
    assert len(made) == calls
    measured(where, device)
    assert len(made) == calls


def test_what_travels_has_an_absolute_folder_and_no_ends_of_its_own(use: Any) -> None:
    ray, seen = use(FakeRay(b=BENCH)), []
    get = ray.get
    ray.get = lambda ref: (seen.append(ref[2]), get(ref))[1]
    measured(node("bench"), FAST)
    ((book, architectures),) = seen
    assert (book.folder, book.measure) == (Path.cwd() / "latency", ray_latency.here)
    assert isinstance(book.progress, Silent) and book.device == FAST
    assert architectures == [ONE]


@pytest.mark.parametrize(
    ("name", "nodes", "words"),
    [
        ("bnch", {"a": HEAD, "b": BENCH}, ["no node has this resource", "'bench'?"]),
        ("bench", {"a": HEAD}, ["no node has this resource", "--num-cpus=0"]),
        ("bench", {"b": ({"bench": 1.0, "CPU": 4.0}, FAST)}, ["ip of b", "4 processors"]),
        (
            "bench",
            {"b": BENCH, "c": ({"bench": 1.0}, SLOW)},
            ["several kinds", "(Fast 9000; Slow 1000)"],
        ),
    ],
)
def test_a_node_that_cannot_be_meant(
    use: Any, name: str, nodes: dict[str, Any], words: list[str]
) -> None:
    use(FakeRay(**nodes))
    with pytest.raises(UserError) as caught:
        node(name).fingerprint(TARGET)
    assert str(caught.value).startswith(f"ray.latency_node: {name}: ")
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_node_has_the_processors_that_a_latency_asks_for(use: Any) -> None:
    use(FakeRay(a=HEAD))
    with pytest.raises(ConfigError, match="latency.threads: 5, but .* has 4 processors"):
        node("whole").fingerprint(Target("here", "eager", threads=5))


MIXED = {
    "a": ({"CPU": 4.0}, SLOW),
    "b": ({"CPU": 8.0}, FAST),
    "c": ({"CPU": 16.0}, FAST),
    "d": ({"bench": 1.0}, SLOW),
}


def test_a_whole_node_is_one_of_the_most_frequent_kind(use: Any) -> None:
    ray = use(FakeRay(**MIXED))
    whole = node("whole")
    assert not whole.is_apart
    assert whole.fingerprint(TARGET) == FAST
    assert {task["node"] for task in ray.tasks} == {"a", "b", "c"}
    ray.tasks.clear()
    measured(whole, FAST)
    assert ray.tasks == [{"node": "b", "num_cpus": 8.0, "max_retries": 0}]


def test_the_drivers_own_node_is_taken_last(use: Any) -> None:
    ray = use(FakeRay(a=HEAD, b=HEAD))
    whole = node("whole")
    whole.fingerprint(TARGET)
    measured(whole, SLOW)
    assert ray.measured == ["b"]


def test_a_node_that_went_is_replaced_by_one_of_its_kind(use: Any) -> None:
    ray = use(FakeRay(**MIXED))
    whole = node("whole")
    whole.fingerprint(TARGET)
    ray.went = {"b"}
    assert measured(whole, FAST) == {ONE.id: LATENCY}
    assert ray.measured == ["c"]


def test_without_a_node_of_its_kind_a_search_stops(use: Any) -> None:
    ray = use(FakeRay(**MIXED))
    whole = node("whole")
    whole.fingerprint(TARGET)
    ray.went = {"b", "c"}
    with pytest.raises(SearchError, match=r"no node like the one before \(Fast 9000\)"):
        measured(whole, FAST)


def test_what_is_refused_there_is_refused_here(use: Any) -> None:
    ray = use(FakeRay(b=BENCH))
    ray.raises = RunError("latency.busy: refuse")
    with pytest.raises(RunError, match="latency.busy: refuse"):
        measured(node("bench"), FAST)


def test_who_waits_for_a_node_can_be_stopped(use: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = use(FakeRay(b=BENCH))
    ray.is_ready = False
    monkeypatch.setattr(STOP, "asked", True)
    with pytest.raises(Stopped):
        measured(node("bench"), FAST)
    assert ray.cancelled == 1


def test_who_waits_long_is_told(use: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ray, seconds = use(FakeRay(b=BENCH)), iter([0.0, 10.0, 20.0, 30.0])
    answers = iter([[], [], [], [1]])
    ray.wait = lambda refs, timeout: (next(answers), [])
    monkeypatch.setattr(ray_latency.time, "monotonic", lambda: next(seconds))
    bench = node("bench")
    measured(bench, FAST)
    assert bench._progress.lines == [  # type: ignore[attr-defined]
        "latency: 1 students on node 'bench'",
        "latency: waiting for node 'bench'",
    ]


def test_the_task_measures_where_the_machine_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fake(book: CostBook, architectures: Sequence[Architecture]) -> dict[str, Latency]:
        return {a.id: LATENCY for a in architectures}

    plain = Target("here", "eager")
    own = CostBook(Path("x"), build, (1, 8, 8), plain, {}, 3, Silent(), measure=fake)
    assert ray_latency.measured_there(own, [ONE]) == {ONE.id: LATENCY}
    own.device = FAST
    assert ray_latency.measured_there(own, [ONE]) is None
