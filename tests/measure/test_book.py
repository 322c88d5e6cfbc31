"""The cost book: counted or measured once, on disk before it is used, then looked up."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Range, Space
from kdsearch.errors import RunError, UserError
from kdsearch.files import read_json, write_json
from kdsearch.measure import book as book_module
from kdsearch.measure.book import CostBook, anchors, read_latency
from kdsearch.measure.energy import energy_uj
from kdsearch.measure.latency import Latency, Measured, Target
from kdsearch.measure.load import Reading, Watch
from kdsearch.measure.size import macs, params

SPACE = Space({"width": Choice((2, 4, 8)), "depth": Choice((1, 2))})
STUDENTS = [Architecture.of(point) for point in SPACE.points()]


def build(architecture: Architecture) -> nn.Module:
    """`depth` convolutions of `width` channels over one-channel images."""
    width = int(architecture["width"])
    layers = [nn.Conv2d(1, width, 3, padding=1), nn.ReLU()]
    for _ in range(int(architecture["depth"]) - 1):
        layers += [nn.Conv2d(width, width, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * 64, 10))


class Sessions:
    """Stands for the stopwatch: a student's latency is its number of measurements so far."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.on_disk: list[set[str]] = []

    def __call__(
        self,
        networks: Mapping[str, nn.Module],
        fixed: Mapping[str, nn.Module],
        *rest: Any,
        **more: Any,
    ) -> Measured:
        self.asked.append({"networks": list(networks), "anchors": list(fixed), **more})
        ms = float(sum(len(one["networks"]) for one in self.asked))
        timed = {name: Latency(ms, 2 * ms, (ms - 0.5, ms + 0.5), 3) for name in networks}
        known = more["reference"] or dict.fromkeys(fixed, ms)
        return Measured(timed, known)


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Sessions:
    made = Sessions()
    monkeypatch.setattr(book_module, "measure", made)
    return made


UNKNOWN = Watch(read=lambda: None)
"""Nobody tells how busy the machine is."""


def opened(
    folder: Path, rounds: int = 3, runtime: str = "eager", watch: Watch = UNKNOWN
) -> CostBook:
    target = Target("here", runtime)
    return CostBook(folder, build, (1, 8, 8), target, anchors(SPACE), rounds, Silent(), watch)


def watch_of(theirs: float, policy: str = "flag") -> Watch:
    """Two cores of which others keep `theirs` busy, whenever it looks a second later."""
    seconds = itertools.count()

    def read() -> Reading:
        now = float(next(seconds))
        return Reading(now, 2 * now, theirs * now, 0.0, 2)

    return Watch(policy, read=read, sleep=lambda _: None)


def test_sizes_are_counted_without_a_stopwatch(tmp_path: Path, sessions: Sessions) -> None:
    costs = opened(tmp_path).costs(STUDENTS, latency=False)
    for architecture in STUDENTS:
        net = build(architecture)
        counted = {"params": params(net), "macs": macs(net, (1, 8, 8))}
        assert costs[architecture.id] == {**counted, "energy_uj": energy_uj(**counted)}
    assert sessions.asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_latency_is_measured_once_and_looked_up_after(
    tmp_path: Path, sessions: Sessions
) -> None:
    first = opened(tmp_path)
    told = first.costs(STUDENTS[:2], latency=True)
    assert [one["networks"] for one in sessions.asked] == [[a.id for a in STUDENTS[:2]]]
    for again in (first, opened(tmp_path), opened(tmp_path, rounds=99)):
        assert again.costs(STUDENTS[:2], latency=True) == told
    assert len(sessions.asked) == 1
    stored = json.loads((tmp_path / f"{STUDENTS[0].id}.json").read_text())
    assert stored["p50_ms"] == told[STUDENTS[0].id]["latency_ms"] == 2.0
    assert told[STUDENTS[0].id]["latency_p95_ms"] == stored["p95_ms"] == 4.0


def test_only_what_is_missing_is_measured_together(tmp_path: Path, sessions: Sessions) -> None:
    book = opened(tmp_path)
    book.latencies(STUDENTS[:2])
    found = book.latencies([*STUDENTS, STUDENTS[0]])
    assert sessions.asked[1]["networks"] == [a.id for a in STUDENTS[2:]]
    assert set(found) == {a.id for a in STUDENTS}
    assert found[STUDENTS[0].id].p50_ms == 2.0
    assert found[STUDENTS[2].id].p50_ms == float(len(STUDENTS))


def test_later_sessions_are_scaled_to_the_first(tmp_path: Path, sessions: Sessions) -> None:
    opened(tmp_path).latencies(STUDENTS[:1])
    opened(tmp_path).latencies(STUDENTS[1:2])
    first, second = sessions.asked
    assert first["reference"] is None
    assert second["reference"] == {"smallest": 1.0, "middle": 1.0, "largest": 1.0}
    assert read_json(tmp_path / book_module.REFERENCE) == second["reference"]
    assert set(first["anchors"]) == set(second["anchors"]) == set(anchors(SPACE))


def test_a_fresh_measurement_leaves_what_is_stored_alone(
    tmp_path: Path, sessions: Sessions
) -> None:
    book = opened(tmp_path)
    book.latencies(STUDENTS[:2])
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    fresh = book.measured(STUDENTS[:2])
    assert fresh[STUDENTS[0].id].p50_ms == 4.0
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_session_that_breaks_off_leaves_no_latency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(book_module, "measure", stops)
    with pytest.raises(KeyboardInterrupt):
        opened(tmp_path).latencies(STUDENTS)
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_before_a_kill_is_kept(
    tmp_path: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after two of six latencies were written: the four others are measured."""
    write, written = book_module.write_json, []

    def until_third(path: Path, content: Any) -> None:
        if len(written) == 3:  # the reference and two students
            raise KeyboardInterrupt
        written.append(path)
        write(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(book_module, "write_json", until_third)
        with pytest.raises(KeyboardInterrupt):
            opened(tmp_path).latencies(STUDENTS)
    found = opened(tmp_path).latencies(STUDENTS)
    assert len(sessions.asked[1]["networks"]) == 4
    assert {found[a.id].p50_ms for a in STUDENTS} == {6.0, 10.0}


@pytest.mark.parametrize(("theirs", "busy"), [(0.5, False), (1.5, True)])
def test_what_was_measured_on_a_busy_machine_stays_marked(
    tmp_path: Path, sessions: Sessions, theirs: float, busy: bool
) -> None:
    opened(tmp_path, watch=watch_of(theirs)).latencies(STUDENTS[:2])
    found = opened(tmp_path).latencies(STUDENTS[:2])
    assert {(one.load, one.busy) for one in found.values()} == {(theirs, busy)}
    assert len(sessions.asked) == 1


def test_a_refused_measurement_leaves_nothing(tmp_path: Path, sessions: Sessions) -> None:
    with pytest.raises(RunError, match="others keep 1.5 of 2 cores busy"):
        opened(tmp_path, watch=watch_of(1.5, "refuse")).latencies(STUDENTS)
    assert sessions.asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_latency_stored_before_load_was_looked_at_is_read(tmp_path: Path) -> None:
    old = {"p50_ms": 1.0, "p95_ms": 2.0, "ci95": [0.9, 1.1], "rounds": 3}
    (tmp_path / "a.json").write_text(json.dumps(old))
    assert read_latency(tmp_path / "a.json") == Latency(1.0, 2.0, (0.9, 1.1), 3, None, False)


def test_a_latency_reads_back_as_it_was_written(tmp_path: Path) -> None:
    intervals = {"p95_ci95": (1.5, 2.5), "p99_ci95": (2.0, 9.0)}
    timed = Latency(1.0, 2.0, (0.9, 1.1), 3, 0.5, True, p99_ms=3.0, drift=0.1, **intervals)
    write_json(tmp_path / "a.json", asdict(timed))
    assert read_latency(tmp_path / "a.json") == timed


def test_the_same_students_are_timed_in_the_same_order(
    tmp_path: Path, sessions: Sessions
) -> None:
    """Whatever the order they were asked for in, and nobody's generator matters."""
    opened(tmp_path / "a").measured(STUDENTS)
    torch.rand(7)
    opened(tmp_path / "b").measured(STUDENTS[::-1])
    opened(tmp_path / "c").measured(STUDENTS[1:])
    seeds = [one["seed"] for one in sessions.asked]
    assert seeds[0] == seeds[1] != seeds[2]


def test_anchors_are_both_ends_and_the_middle() -> None:
    found = {name: a.as_dict() for name, a in anchors(SPACE).items()}
    assert found == {
        "smallest": {"width": 2, "depth": 1},
        "middle": {"width": 4, "depth": 2},
        "largest": {"width": 8, "depth": 2},
    }
    with pytest.raises(UserError, match="no smallest"):
        anchors(Space({"width": Range(1, 2)}))


@pytest.mark.parametrize("runtime", ["eager", "onnxruntime"])
def test_on_a_real_stopwatch(tmp_path: Path, runtime: str) -> None:
    """Milliseconds of the deepest and widest exceed those of the smallest."""
    book = opened(tmp_path, rounds=8, runtime=runtime)
    ends = [STUDENTS[0], STUDENTS[-1]]
    costs = book.costs(ends, latency=True)
    small, large = (costs[a.id]["latency_ms"] for a in ends)
    assert 0 < small < large < 1000
    timed = read_latency(tmp_path / f"{ends[0].id}.json")
    assert timed.ci95[0] <= timed.p50_ms <= timed.ci95[1]
    assert timed.rounds == 8
