"""Cost books of several targets as one: names of costs, and who is asked for them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.measure.book import CostBook, of_latency
from kdsearch.measure.books import Books
from kdsearch.measure.latency import Latency, Target

ONE, TWO = (Architecture.of({"width": width}) for width in (1, 2))


def build(architecture: Architecture) -> nn.Module:
    return nn.Linear(4, int(architecture["width"]))


class Taking:
    """A measurement of a fixed length that notes who was timed."""

    def __init__(self, milliseconds: float) -> None:
        self.milliseconds = milliseconds
        self.seen: list[list[str]] = []

    def __call__(self, book: Any, architectures: Sequence[Architecture]) -> dict[str, Latency]:
        self.seen.append([a.id for a in architectures])
        ms = self.milliseconds
        return {a.id: Latency(ms, 2 * ms, (ms, ms), 3, p99_ms=3 * ms) for a in architectures}


def book(folder: Path, name: str, taking: Taking, *, apart: bool = False) -> CostBook:
    return CostBook(
        folder / name,
        build,
        (1, 2, 2),
        Target(name, "eager"),
        {},
        3,
        Silent(),
        sizes={a.id: {"params": 5.0} for a in (ONE, TWO)},
        measure=taking,
        device={"device": name},
        is_apart=apart,
    )


@pytest.fixture
def takings() -> tuple[Taking, Taking]:
    return Taking(1.0), Taking(10.0)


@pytest.fixture
def books(tmp_path: Path, takings: tuple[Taking, Taking]) -> Books:
    for name in ("server", "edge"):
        (tmp_path / name).mkdir()
    pairs = zip(("server", "edge"), takings, strict=True)
    return Books({name: book(tmp_path, name, taking) for name, taking in pairs})


def test_the_first_targets_costs_have_plain_names(books: Books) -> None:
    assert books.costs([ONE])[ONE.id] == {
        "params": 5.0,
        "latency_ms": 1.0,
        "latency_p95_ms": 2.0,
        "latency_p99_ms": 3.0,
        "latency_ms@edge": 10.0,
        "latency_p95_ms@edge": 20.0,
        "latency_p99_ms@edge": 30.0,
    }


@pytest.mark.parametrize(
    ("names", "timed"),
    [
        (("accuracy", "macs"), (0, 0)),
        (("latency_ms",), (1, 0)),
        (("accuracy", "latency_p99_ms@edge"), (0, 1)),
        (("latency_p95_ms", "latency_ms@edge"), (1, 1)),
    ],
)
def test_only_targets_that_are_asked_for_are_measured(
    books: Books,
    takings: tuple[Taking, Taking],
    names: tuple[str, ...],
    timed: tuple[int, int],
) -> None:
    assert books.are_known([ONE], names) == (timed == (0, 0))
    assert set(names) - {"accuracy", "macs"} <= books.costs([ONE, ONE], names)[ONE.id].keys()
    assert tuple(len(one.seen) for one in takings) == timed
    assert books.are_known([ONE], names), "looked up from now on"
    assert books.are_known([TWO], names) == (timed == (0, 0))


def test_what_is_measured_apart_need_not_be_waited_for(tmp_path: Path) -> None:
    books = Books({"a": book(tmp_path, "a", Taking(1.0), apart=True)})
    assert books.are_known([ONE], ["latency_ms"])


def test_all_are_timed_together_on_each_target(
    books: Books, takings: tuple[Taking, Taking]
) -> None:
    found = books.measured([ONE, TWO, ONE])
    assert [found[name][TWO.id].p50_ms for name in ("server", "edge")] == [1.0, 10.0]
    assert [one.seen for one in takings] == [[[ONE.id, TWO.id]]] * 2


def test_a_latency_of_an_older_version_has_no_99th_percentile() -> None:
    assert of_latency(Latency(1.0, 2.0, (1.0, 1.0), 3), "edge") == {
        "latency_ms@edge": 1.0,
        "latency_p95_ms@edge": 2.0,
    }
