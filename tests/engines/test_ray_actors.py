"""The driver's side of engine `ray-actors`, with a crew that does what the test says."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Job, Recipe, Result
from kdsearch.engines import ray_stop
from kdsearch.engines.cluster import Cluster
from kdsearch.engines.engine import RETRIES, Workshop
from kdsearch.engines.ray_actors import LOT, Foreman
from kdsearch.engines.ray_latency import IDLERS, making_room
from kdsearch.files import write_json
from kdsearch.search.rung import result_path
from kdsearch.stopping import STOP

ARCHITECTURE = Architecture.of({"a": 1})


def job(name: str, rung: int, folder: Path) -> Job:
    recipe = Recipe("hard") if rung else None
    return Job(name, rung, ARCHITECTURE, recipe, 0, str(folder / name))


def done(one: Job) -> Result:
    return Result(one.name, one.rung, "done", accuracy=0.5)


class Listed:
    """A source of the jobs of a list; hands out 'wait' while there are results to come."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.left = list(jobs)
        self.flight: set[str] = set()
        self.told: list[Result] = []

    def next(self) -> Any:
        if not self.left:
            return "wait" if self.flight else None
        found = self.left.pop(0)
        self.flight.add(found.name)
        return found

    def tell(self, result: Result) -> None:
        self.flight.remove(result.job)
        self.told.append(result)


class Hands:
    """A crew whose calls end one after the other, in the order in which they were given.

    `losses`: the calls, by number, whose worker is lost.
    """

    def __init__(self, workers: int, *losses: int) -> None:
        self.workers, self.losses = workers, losses
        self.idle: list[int] = []
        self.busy: dict[int, Sequence[Job]] = {}
        self.given: list[list[str]] = []
        self.dismissals = 0

    @property
    def room(self) -> int:
        return len(self.idle) if self.idle or self.busy else self.workers

    def hire(self) -> None:
        self.idle += [0] * (self.workers - len(self.idle) - len(self.busy))

    def give(self, jobs: Sequence[Job]) -> None:
        self.idle.pop()
        self.busy[len(self.given)] = jobs
        self.given.append([one.name for one in jobs])

    def ended(self, seconds: float) -> Iterator[tuple[Any, ...]]:
        if not self.busy:
            return
        call = min(self.busy)
        jobs = self.busy.pop(call)
        if call in self.losses:
            yield jobs, [], True
        else:
            self.idle.append(0)
            yield jobs, [done(one) for one in jobs], False

    def dismiss(self) -> None:
        self.dismissals += 1
        self.idle.clear()


def work_off(source: Any, crew: Hands, **cluster: Any) -> Foreman:
    setting: Any = SimpleNamespace()
    shop = Workshop(setting, crew.workers, Silent(), cluster=Cluster(**cluster))
    foreman = Foreman(source, crew, shop)
    foreman.work()
    return foreman


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{n}" for n in range(count)]


def test_rung_0_comes_in_even_lots_and_neighbours_stay_together(tmp_path: Path) -> None:
    source = Listed([job(name, 0, tmp_path) for name in names("s", 10)])
    crew = Hands(3)
    work_off(source, crew)
    assert crew.given == [names("s", 4), names("s", 10)[4:7], names("s", 10)[7:]]
    assert [result.job for result in source.told] == names("s", 10)


def test_a_lot_has_an_end(tmp_path: Path) -> None:
    source = Listed([job(name, 0, tmp_path) for name in names("s", 3 * LOT)])
    crew = Hands(1)
    work_off(source, crew)
    assert [len(given) for given in crew.given] == [LOT] * 3


def test_higher_rungs_come_one_by_one_and_no_sooner_than_a_worker_is_idle(
    tmp_path: Path,
) -> None:
    source = Listed([job(name, 1, tmp_path) for name in names("t", 5)])
    crew = Hands(2)
    taken = []
    give = crew.give

    def noting(jobs: Sequence[Job]) -> None:
        give(jobs)
        taken.append(5 - len(source.left))

    crew.give = noting  # type: ignore[method-assign]
    work_off(source, crew)
    assert crew.given == [[name] for name in names("t", 5)]
    assert taken == [2, 2, 3, 4, 5]


def test_a_mixed_queue_is_taken_in_its_order(tmp_path: Path) -> None:
    rungs = [0, 0, 1, 0, 2]
    source = Listed([job(f"j{n}", rung, tmp_path) for n, rung in enumerate(rungs)])
    crew = Hands(1)
    work_off(source, crew)
    assert crew.given == [["j0", "j1"], ["j2"], ["j3"], ["j4"]]


def test_a_lost_worker_costs_an_attempt_of_the_job_it_was_at_alone(tmp_path: Path) -> None:
    jobs = [job(name, 0, tmp_path) for name in names("s", 4)]
    write_json(result_path(jobs[0]), done(jobs[0]).as_dict())  # it got that far
    source, crew = Listed(jobs), Hands(1, 0, 1, 2)
    foreman = work_off(source, crew)
    assert crew.given == [names("s", 4), ["s1"], ["s1"], ["s2"], ["s3"]]
    assert foreman.losses == {"s1": RETRIES + 1}
    told = {result.job: result.state for result in source.told}
    assert told == {"s0": "done", "s1": "lost", "s2": "done", "s3": "done"}
    assert len(source.told) == 4


def test_what_was_lost_is_begun_again_before_anything_else(tmp_path: Path) -> None:
    source = Listed([job(name, 1, tmp_path) for name in names("t", 4)])
    crew = Hands(1, 1)
    work_off(source, crew)
    assert crew.given == [["t0"], ["t1"], ["t1"], ["t2"], ["t3"]]
    assert [result.state for result in source.told] == ["done"] * 4


def test_who_is_dismissed_before_a_measurement_is_hired_again_after_it(tmp_path: Path) -> None:
    """The source measures when it is asked for the second job, and at no other time."""
    jobs = [job(name, 1, tmp_path) for name in names("t", 3)]
    source, crew = Listed(jobs), Hands(1)

    def next_one() -> Any:
        if len(source.left) == 2 and not source.flight:
            for let_go in IDLERS:
                let_go()
        return Listed.next(source)

    source.next = next_one  # type: ignore[method-assign]
    with making_room(crew.dismiss):
        work_off(source, crew)
    assert IDLERS == []
    assert (crew.dismissals, len(source.told)) == (1, 3)
    assert crew.given == [[name] for name in names("t", 3)]


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """What stands in Ray's key-value store."""
    kept: set[str] = set()
    fake = SimpleNamespace(
        _internal_kv_put=lambda word, value, namespace: kept.add(word),
        _internal_kv_del=lambda word, namespace: kept.remove(word),
    )
    monkeypatch.setattr(ray_stop, "store", lambda: fake)
    monkeypatch.setattr(ray_stop, "word", lambda: "stop 1")
    yield kept
    STOP.asked = False


def test_who_is_asked_to_stop_hands_out_nothing_and_waits(
    stores: set[str], tmp_path: Path
) -> None:
    source, crew = Listed([job(name, 1, tmp_path) for name in names("t", 5)]), Hands(2)
    seen = []

    def tell(result: Result) -> None:
        Listed.tell(source, result)
        STOP.asked = True
        seen.append(set(stores))

    source.tell = tell  # type: ignore[method-assign]
    work_off(source, crew)
    assert crew.given == [["t0"], ["t1"]]
    assert seen == [set(), {"stop 1"}]
    assert stores == set()
    assert not crew.busy


def test_workers_that_do_not_end_are_not_waited_for_for_ever(
    stores: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ray_stop, "PATIENCE_S", -1.0)
    source, crew = Listed([job("t0", 1, tmp_path)]), Hands(1)

    def nothing(seconds: float) -> Iterator[tuple[Any, ...]]:
        STOP.asked = True
        yield from ()

    crew.ended = nothing  # type: ignore[method-assign]
    work_off(source, crew)
    assert source.told == []
