"""One suite over ENGINES: same trials, lost workers, and failures told apart."""

import importlib
import json
import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from kdsearch.core.progress import Noting, Silent
from kdsearch.core.records import Architecture, Job, Recipe, Result
from kdsearch.core.space import Space
from kdsearch.engines import ENGINES
from kdsearch.engines.cluster import Cluster
from kdsearch.engines.engine import Workshop
from kdsearch.engines.ray_start import QUIET, start
from kdsearch.engines.travel import as_job, as_plain, as_trouble
from kdsearch.errors import DataError, KdsearchError, SearchError, TeacherError, UserError
from kdsearch.files import read_json
from kdsearch.pipeline.surroundings import surroundings
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir
from kdsearch.search.setting import Setting
from kdsearch.search.source import Phase, Phases
from kdsearch.training.plan import Plan

ray = pytest.mark.ray
slow, long = pytest.mark.slow, pytest.mark.long

NOWHERE = Setting(
    "/nowhere", "/nowhere", None, "resnet", Space({}), Plan(1, 1, 0.1, 0, 0), (0.5, 1.0)
)
ARCHITECTURE = Architecture.of({"a": 1, "b": 2.5})


def shop(workers: int = 1, given: nn.Module | None = None) -> Workshop:
    return Workshop(NOWHERE, workers, Silent(), given)


class Scripted:
    """A source of four jobs, none of which can be done, that may go wrong itself."""

    def __init__(self, folder: Path, **on: Callable[[], None]) -> None:
        self.left = [
            Job(f"job {k}", 1, ARCHITECTURE, Recipe("hard"), k, str(folder / str(k)))
            for k in range(4)
        ]
        self.given = 0
        self.told: list[Result] = []
        self.on = on

    def next(self) -> Job | str | None:
        self.on.get("next", int)()
        if not self.left:
            return None if len(self.told) == self.given else "wait"
        self.given += 1
        return self.left.pop(0)

    def tell(self, result: Result) -> None:
        self.told.append(result)
        self.on.get("tell", int)()


def boom() -> None:
    raise SearchError("boom")


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


ON_RAY = [pytest.param(name, marks=[ray, slow]) for name in ("ray-tune", "ray-actors")]


@pytest.fixture(params=["in-process", *ON_RAY], ids=str)
def engine(request: pytest.FixtureRequest) -> Any:
    if request.param != "in-process":
        request.getfixturevalue("ray_up")
    return ENGINES[request.param]


def test_each_is_tried_here() -> None:
    assert {"in-process", *(str(one.values[0]) for one in ON_RAY)} == set(ENGINES)


def test_every_job_is_handed_out_and_told_once(engine: Any, tmp_path: Path) -> None:
    source = Scripted(tmp_path)
    engine(source, shop())
    assert [r.job for r in source.told] == ["job 0", "job 1", "job 2", "job 3"]
    for number, result in enumerate(source.told):
        assert result.state == "bug"
        assert result.reason.startswith("/nowhere: holds no prepared data")
        assert result.as_dict() == read_json(tmp_path / str(number) / "rung1.json")


@pytest.mark.parametrize(
    ("on", "error", "told"),
    [
        ({"tell": boom}, SearchError, 1),
        ({"tell": interrupt}, KeyboardInterrupt, 1),
    ],
    ids=["error", "interrupt"],
)
def test_what_stops_the_source_stops_the_engine_as_it_is(
    engine: Any, on: dict[str, Any], error: type[BaseException], told: int, tmp_path: Path
) -> None:
    source = Scripted(tmp_path, **on)
    with pytest.raises(error) as caught:
        engine(source, shop())
    assert error is KeyboardInterrupt or str(caught.value) == "boom"
    assert len(source.told) == told


BROKEN = """
import errno


class Broken:
    def __init__(self, setting, progress, given):
        if setting.data == "no worker":
            raise ImportError("No module named 'own'")

    def __call__(self, job):
        raise OSError(errno.ENOSPC, "No space left on device", "/there/rung1.json")
"""


@pytest.fixture
def broken(plugins: Path) -> Callable[[str], Workshop]:
    """Workers to whom something happens that is no job's fault: `broken("disk")`."""
    (plugins / "broken.py").write_text(BROKEN)
    make = importlib.import_module("broken").Broken

    def made(kind: str) -> Workshop:
        return replace(shop(), setting=replace(NOWHERE, data=kind), make=make)

    return made


def test_a_result_that_the_disk_refuses_fails_no_trial(
    engine: Any, broken: Any, tmp_path: Path
) -> None:
    source = Scripted(tmp_path)
    with pytest.raises(OSError) as caught:
        engine(source, broken("disk"))
    assert source.told == []
    assert surroundings(caught.value) == (
        "/there/rung1.json: no space left on device; make room there, and the same command "
        "goes on from here"
    )


class TwoWordError(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (DataError("the images went"), DataError, "the images went"),
        (ValueError("a bug"), ValueError, "a bug"),
        (TwoWordError("one", "two"), KdsearchError, "TwoWordError: one and two"),
    ],
)
def test_an_error_travels_with_where_it_was_raised(
    error: Exception, kind: type[Exception], words: str
) -> None:
    with pytest.raises(type(error)) as caught:
        raise error
    found = pickle.loads(pickle.dumps(as_trouble(caught.value)))
    assert (type(found), str(found)) == (kind, words)
    assert f"in {test_an_error_travels_with_where_it_was_raised.__name__}" in found.__notes__[0]


@pytest.mark.chaos
@pytest.mark.parametrize("name", ON_RAY)
def test_workers_that_cannot_start_end_the_search(
    ray_up: Any, name: str, broken: Any, tmp_path: Path
) -> None:
    jobs = Scripted(tmp_path).left
    with pytest.raises(SearchError, match="No module named 'own'"):
        ENGINES[name](Phases(phase(jobs)), broken("no worker"))


def phase(jobs: Sequence[Job]) -> Phase:
    yield jobs


def test_an_error_while_asking_is_raised_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(SearchError, match=r"^boom$"):
        ENGINES["in-process"](Scripted(tmp_path, next=boom), shop())


def test_in_process_has_one_worker(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"search\.workers = 2: .*search\.engine: ray-tune"):
        ENGINES["in-process"](Scripted(tmp_path), shop(workers=2))


@pytest.mark.parametrize("name", sorted(set(ENGINES) - {"in-process"}))
def test_a_teacher_object_cannot_travel_to_ray(name: str, tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match="name it as teacher.network: module:pkg.mod"):
        ENGINES[name](Scripted(tmp_path), shop(given=nn.Identity()))


@pytest.mark.parametrize("recipe", [None, Recipe.of("soften", {"temperature": 4.0})])
def test_a_job_travels_as_plain_data(recipe: Recipe | None) -> None:
    job = Job("trial 3, rung 1", 1, ARCHITECTURE, recipe, 7, "/there")
    assert as_job(json.loads(json.dumps(as_plain(job)))) == job
    here = replace(job, folder="here")  # a worker has a working directory of its own
    assert as_plain(here)["folder"] == str(Path.cwd() / "here")


def test_ray_that_came_first_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray reads what keeps it to the loopback when it is imported."""
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False))
    for name in QUIET:
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(UserError, match="import it later, or call ray.init"):
        start(1)


@pytest.mark.parametrize("name", ON_RAY)
def test_what_no_node_has_is_one_line(ray_up: Any, name: str, tmp_path: Path) -> None:
    greedy = replace(shop(), cluster=Cluster(cpu=64))
    with pytest.raises(UserError, match="each takes 64 CPU, and no node has as much"):
        ENGINES[name](Scripted(tmp_path), greedy)


def outcome(run: RunDir) -> list[Any]:
    return [(t.number, t.candidate, t.state, t.scores, t.reason) for t in trials(run)]


@ray
def test_a_job_that_loses_every_worker_is_told_as_lost(ray_up: Any, tmp_path: Path) -> None:
    from kdsearch.engines.ray_searcher import FromSource

    source, said, boomed = Scripted(tmp_path), Noting(Silent()), OSError("boom")
    searcher = FromSource(source, said)
    searcher.suggest("one")
    searcher.on_trial_complete("one", error=True)
    searcher.suggest("two")
    searcher.said["two"] = "it fell"
    searcher.on_trial_complete("two", error=True)
    searcher.suggest("three")
    searcher.on_trial_complete("three", {"said": "no GPU", "trouble": boomed})
    assert (said.lines, searcher.error) == (["no GPU"], boomed)
    lost = "its worker was lost again and again"
    told = [(r.job, r.state, r.reason) for r in source.told]
    assert told == [("job 0", "lost", lost), ("job 1", "lost", f"{lost}: it fell")]


@pytest.mark.parametrize("name", ON_RAY)
def test_all_engines_come_to_the_same_trials(
    ray_up: Any, name: str, finished: RunDir, tiny: Any, go: Any, tmp_path: Path
) -> None:
    run = go(tiny(search={"engine": name}), tmp_path / "ray", until="search")
    assert run.facts()["study"] == finished.facts()["study"]
    assert outcome(run) == outcome(finished)
    files = {p.relative_to(run.trials(run.facts()["study"])) for p in results(run)}
    assert {str(p) for p in files} >= {"0000/rung1.json"}
    for path in files:
        mine, other = (
            read_json(r.trials(r.facts()["study"]) / path) | {"seconds": 0}
            for r in (run, finished)
        )
        assert mine == other


def results(run: RunDir) -> list[Path]:
    return sorted(run.trials(run.facts()["study"]).glob("*/rung*.json"))


REASONS = {
    "memory": "out of memory: at batch_size 128; try distill.batch_size: 64",
    "bug": "bug: RuntimeError: a bug",
}


@pytest.mark.parametrize(
    ("name", "orders", "failed"),
    [
        # calls: 2 to look at the teacher; by trial 2, 2, and six times 7, a probe first
        ("in-process", {4: "memory", 6: "bug"}, {0: "memory", 1: "bug"}),
        pytest.param(
            "ray-tune",  # 2 + 2 until killed, 2 + 7 anew, 2, 2, and five times 7
            {4: "kill", 15: "memory", 17: "bug"},
            {1: "memory", 2: "bug"},
            marks=[ray, slow, long],
        ),
        pytest.param(
            "ray-actors",
            {4: "kill", 15: "memory", 17: "bug"},
            {1: "memory", 2: "bug"},
            marks=[ray, slow, long],
        ),
    ],
)
def test_failures_are_told_apart_and_a_lost_worker_is_replaced(
    request: pytest.FixtureRequest,
    name: str,
    orders: dict[int, str],
    failed: dict[int, str],
    faulty: Callable[[str, dict[int, str]], RunDir],
    plugins: Path,
) -> None:
    """One trial after the other, a trial asks the teacher seven times up to rung 1."""
    if name != "in-process":
        request.getfixturevalue("ray_up")
    run = faulty(name, orders)
    calls = (plugins / "calls").stat().st_size
    assert calls == (52 if "kill" in orders.values() else 48)
    found = trials(run)
    assert len(found) == 8
    assert {t.number: t.reason for t in found if t.state == "failed"} == {
        number: REASONS[kind] for number, kind in failed.items()
    }
    assert {t.state for t in found if t.number not in failed} == {"complete"}
    number = next(n for n, kind in failed.items() if kind == "bug")
    details = read_json(run.trials(run.facts()["study"]) / f"{number:04d}" / "rung1.json")
    assert "in obey" in details["details"]["traceback"]


@ray
@slow
def test_ray_is_for_this_machine_alone(ray_up: Any) -> None:
    import psutil

    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert os.environ["RAY_AUTH_MODE"] == "token"
    children = psutil.Process().children(recursive=True)
    names = set()
    for child in children:
        with suppress(psutil.NoSuchProcess):
            names.add(child.name())
    assert {"raylet", "gcs_server"} <= names
    sockets = []
    for process in (psutil.Process(), *children):
        with suppress(psutil.NoSuchProcess):  # a worker of the test before
            sockets += process.net_connections()
    listening = {c.laddr for c in sockets if c.status == psutil.CONN_LISTEN}
    assert len(listening) >= 3
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
    assert 8265 not in {address.port for address in listening}

    @ray_up.remote
    def environment() -> dict[str, str]:
        return dict(os.environ)

    inside = ray_up.get(environment.remote())
    assert inside["RAY_USAGE_STATS_ENABLED"] == "0"
    assert inside["RAY_AUTH_MODE"] == "token"
