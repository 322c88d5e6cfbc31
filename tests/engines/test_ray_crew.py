"""Actors that come, work and are lost, by a Ray that does what the test says."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kdsearch.core.progress import Noting, Silent
from kdsearch.core.records import Architecture, Job, Recipe, Result
from kdsearch.engines.cluster import Cluster
from kdsearch.engines.engine import Workshop
from kdsearch.engines.ray_crew import FALLS, Crew
from kdsearch.errors import SearchError


class RayError(Exception):
    pass


class RayTaskError(RayError):
    def __init__(self, cause: Exception) -> None:
        super().__init__(f"somewhere:\n{cause}")
        self.cause = cause


class Actor:
    """References are (actor, what it will give)."""

    def __init__(self, number: int, fate: Callable[[int], Any]) -> None:
        self.number = number
        self.is_there = SimpleNamespace(remote=lambda: (self, "is_there"))
        self.do = SimpleNamespace(remote=lambda jobs: (self, tuple(j["name"] for j in jobs)))
        self.fate = fate


class FakeRay:
    """All references are ready at once, in the order they are asked for."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self) -> None:
        self.actors: list[Actor] = []
        self.killed: list[int] = []
        self.dead: set[int] = set()
        self.options: list[dict[str, Any]] = []
        self.words = ""
        self.raises: Exception = RayError("it is gone\nfor good")

    def remote(self, kind: Any) -> Any:
        def options(**asked: Any) -> Any:
            self.options.append(asked)
            return SimpleNamespace(remote=self.made)

        return SimpleNamespace(options=options)

    def made(self, *arguments: Any) -> Actor:
        self.actors.append(Actor(len(self.actors), lambda n: None))
        return self.actors[-1]

    def wait(self, refs: list[Any], num_returns: int, timeout: float) -> tuple[Any, Any]:
        return refs[:num_returns], refs[num_returns:]

    def get(self, ref: Any) -> Any:
        actor, asked = ref
        if actor.number in self.dead:
            raise self.raises
        if asked == "is_there":
            return self.words
        return [Result(name, 1, "done", accuracy=0.5).as_dict() for name in asked]

    def kill(self, actor: Actor) -> None:
        self.killed.append(actor.number)

    def nodes(self) -> list[Any]:
        return [{"Alive": True, "Resources": {"CPU": 8.0, "GPU": 1.0}}]

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 8.0, "GPU": 1.0}


def crew_of(ray: FakeRay, workers: int, **cluster: Any) -> Crew:
    setting: Any = SimpleNamespace(device="cpu")
    return Crew(ray, Workshop(setting, workers, Silent(), cluster=Cluster(**cluster)))


def job(name: str) -> Job:
    return Job(name, 1, Architecture.of({"a": 1}), Recipe("hard"), 0, str(Path("/there")))


def staffed(ray: FakeRay, workers: int) -> Crew:
    """With all of its actors idle."""
    crew = crew_of(ray, workers)
    crew.hire()
    while crew.called:
        assert list(crew.ended(0.0)) == []
    return crew


def test_there_is_work_for_all_before_any_is_there_and_for_the_idle_after() -> None:
    ray = FakeRay()
    crew = crew_of(ray, 3, cpu=2.0, gpu=0.25)
    assert crew.room == 3
    crew.hire()
    crew.hire()
    assert (crew.room, len(ray.actors)) == (0, 3)
    asked = {"num_cpus": 2.0, "num_gpus": 0.25, "scheduling_strategy": "SPREAD"}
    assert ray.options[0] == asked
    assert list(crew.ended(0.0)) == []
    assert crew.room == 1


def test_a_call_gives_the_results_of_its_jobs() -> None:
    crew = staffed(FakeRay(), 2)
    crew.give([job("a"), job("b")])
    assert len(crew.idle) == 1
    (ended,) = crew.ended(0.0)
    assert [result.job for result in ended.results] == ["a", "b"]
    assert not ended.is_lost
    assert len(crew.idle) == 2


def test_a_lost_actor_is_ended_and_replaced_and_the_others_have_to_answer() -> None:
    """A node that went takes idle actors along, which nobody has heard of yet."""
    ray = FakeRay()
    crew = staffed(ray, 3)
    crew.give([job("a")])
    busy = next(iter(crew.busy.values()))[0].number
    other = crew.idle[0].number
    ray.dead |= {busy, other}
    (ended,) = crew.ended(0.0)
    assert (ended.is_lost, list(ended.results)) == (True, [])
    assert ray.killed == [busy]
    assert (crew.idle, len(crew.called)) == ([], 3)
    while crew.called:
        list(crew.ended(0.0))
    assert {actor.number for actor in crew.idle} == {3, 4, ({0, 1, 2} - {busy, other}).pop()}
    assert ray.killed == [busy, other]


def test_what_goes_wrong_inside_is_raised_as_it_is() -> None:
    ray = FakeRay()
    crew = staffed(ray, 1)
    crew.give([job("a")])
    ray.dead.add(0)
    ray.raises = RayTaskError(OSError(28, "No space left on device", "/there/rung1.json"))
    with pytest.raises(OSError, match="No space left"):
        list(crew.ended(0.0))


def test_actors_that_never_live_end_the_search() -> None:
    ray = FakeRay()
    ray.dead = set(range(100))
    crew = crew_of(ray, 2)
    crew.hire()
    with pytest.raises(SearchError, match="die as they start, the last with: for good"):
        for _ in range(FALLS + 2):
            list(crew.ended(0.0))
    assert len(ray.killed) == FALLS + 2


def test_what_an_actor_says_of_itself_is_said_once() -> None:
    ray, said = FakeRay(), Noting(Silent())
    ray.words = "no GPU"
    setting: Any = SimpleNamespace(device="cpu")
    crew = Crew(ray, Workshop(setting, 2, said))
    crew.hire()
    while crew.called:
        list(crew.ended(0.0))
    assert said.lines == ["no GPU"]


def test_nobody_is_left_after_a_dismissal() -> None:
    ray = FakeRay()
    crew = crew_of(ray, 3)
    crew.hire()
    for _ in range(2):
        list(crew.ended(0.0))
    crew.give([job("a")])
    crew.dismiss()
    assert sorted(ray.killed) == [0, 1, 2]
    assert crew.room == 3
